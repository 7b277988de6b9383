"""Which buffers may share memory, and what an op may do to memory."""

from __future__ import annotations

from xdsl.dialects import func, memref, scf
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.traits import is_side_effect_free

from lamina.dialects.loop import ForOp, IfOp, YieldOp
from lamina.dialects.te import ConstantOp
from lamina.dialects.vector import GatherOp, LoadLikeOp, LoadRunOp, LoadStridedOp, MemoryOp

MAY_ALIAS = "lamina.may_alias"
"""marks the arguments of a kernel that may share memory with each other; the others never do"""

VIEWS = (memref.ViewOp, memref.SubviewOp, memref.CastOp, memref.ReinterpretCastOp)
"""ops that give a buffer, or a part of it, another type"""


def root_of(ref: SSAValue) -> SSAValue:
    """The buffer that `ref` is a view of."""
    while isinstance(ref.owner, VIEWS):
        ref = ref.owner.operands[0]
    return ref


def may_alias(a: SSAValue, b: SSAValue) -> bool:
    """Whether two buffers may have an element in common."""
    a, b = root_of(a), root_of(b)
    if a is b:
        return True
    if _is_new(a) or _is_new(b):
        return False  # an allocation or a table is nothing that anybody else has
    return not (_is_argument(a) and _is_argument(b)) or (_is_shared(a) and _is_shared(b))


def _is_new(ref: SSAValue) -> bool:
    return isinstance(ref.owner, memref.AllocOp | memref.AllocaOp | ConstantOp)


def _is_argument(ref: SSAValue) -> bool:
    return isinstance(ref.owner, Block) and isinstance(ref.owner.parent_op(), func.FuncOp)


def _is_shared(ref: SSAValue) -> bool:
    if not isinstance(ref, BlockArgument) or not isinstance(
        f := ref.block.parent_op(), func.FuncOp
    ):
        return False
    return f.arg_attrs is not None and MAY_ALIAS in f.arg_attrs.data[ref.index].data


def reads(op: Operation) -> bool:
    """Whether `op` does nothing but read memory, and says where."""
    return isinstance(op, LoadLikeOp | LoadRunOp | LoadStridedOp | GatherOp)


def unknown_effect(op: Operation) -> bool:
    """Whether `op` itself may do anything to memory other than what a MemoryOp says."""
    nests = ForOp | IfOp | YieldOp | scf.IfOp | scf.YieldOp
    known = isinstance(op, MemoryOp | nests | memref.AllocaOp | memref.AllocOp)
    return not known and not is_side_effect_free(op)


def writes(op: Operation) -> tuple[SSAValue, ...] | None:
    """The buffers of which `op`, or an op in it, may change an element; None if it may be any."""
    found: dict[SSAValue, None] = {}
    for inner in op.walk():
        if unknown_effect(inner):
            return None
        if isinstance(inner, MemoryOp) and not reads(inner):
            found[inner.ref] = None
    return tuple(found)


def may_be_in(refs: tuple[SSAValue, ...] | None, ref: SSAValue) -> bool:
    """Whether an element of `ref` may be in one of the buffers that `writes` names."""
    return refs is None or any(may_alias(written, ref) for written in refs)


def may_write(op: Operation, ref: SSAValue) -> bool:
    """Whether `op`, or an op in it, may change an element of `ref`."""
    return may_be_in(writes(op), ref)
