"""Make a function of the body of every parallel nest, for a thread pool to call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IndexType,
    MemRefType,
    ModuleOp,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.loop import ForOp
from lamina.passes._aliasing import MAY_ALIAS, may_alias
from lamina.passes.loop._nests import body_ops, hints_of, is_inside, names_of


def outermost_parallel(f: func.FuncOp) -> list[ForOp]:
    """The parallel nests of `f` in no other parallel nest, less those that only call a function."""

    def inside_another(loop: Operation) -> bool:
        parent = loop.parent_op()
        while parent is not None and not isinstance(parent, func.FuncOp):
            if isinstance(parent, ForOp) and parent.mapping.data == "parallel":
                return True
            parent = parent.parent_op()
        return False

    found = [o for o in f.walk() if isinstance(o, ForOp) and o.mapping.data == "parallel"]
    done = [o for o in found if [type(i) for i in body_ops(o.body.block)] == [func.CallOp]]
    return [o for o in found if o not in done and not inside_another(o)]


def captured(loop: ForOp, by: str) -> tuple[list[SSAValue], list[arith.ConstantOp]]:
    """The buffers and index values from outside that the body uses, and the constants."""
    values = dict.fromkeys(
        v for op in loop.body.walk() for v in op.operands if not is_inside(v, loop)
    )
    constants = [v.owner for v in values if isinstance(v.owner, arith.ConstantOp)]
    others = [v for v in values if not isinstance(v.owner, arith.ConstantOp)]
    others.sort(key=lambda v: isinstance(v.type, MemRefType))  # indices with the nest's own
    for v in others:
        if not isinstance(v.type, MemRefType | IndexType):
            raise PassFailedException(
                f"{by}: the body of ({', '.join(names_of(loop))}) uses a {v.type} from outside; "
                "only buffers, indices and constants can be handed to it, so keep it in a buffer"
            )
    return others, constants


def argument_attributes(values: list[SSAValue]) -> list[DictionaryAttr]:
    """Buffers that may share memory with another one of `values` say so."""

    def shared(v: SSAValue) -> bool:
        return isinstance(v.type, MemRefType) and any(
            w is not v and isinstance(w.type, MemRefType) and may_alias(v, w) for w in values
        )

    return [DictionaryAttr({MAY_ALIAS: UnitAttr()} if shared(v) else {}) for v in values]


def outline(loop: ForOp, name: str, by: str) -> func.FuncOp:
    """
    loop.for %i < 28 parallel { f(%i, %x) }
    ->
    func.func private @name(%i: index, %x: memref<..>) { f(%i, %x) }
    loop.for %i < 28 parallel { func.call @name(%i, %x) }
    """
    values, constants = captured(loop, by)
    indices, body = list(loop.indices), loop.body.block
    types: list[Attribute] = [*(i.type for i in indices), *(v.type for v in values)]
    block = Block(arg_types=types)
    mapper: dict[SSAValue, SSAValue] = {}
    for old, new, hint in zip(
        [*indices, *values], block.args, hints_of([*indices, *values]), strict=True
    ):
        new.name_hint = hint
        mapper[old] = new
    for op in [*constants, *body_ops(body)]:
        block.add_op(op.clone(mapper))
    block.add_op(func.ReturnOp())
    for op in reversed(body_ops(body)):
        op.detach()
        op.erase(safe_erase=False)
    assert body.last_op is not None
    body.insert_op_before(func.CallOp(name, [*indices, *values], []), body.last_op)
    f = func.FuncOp(name, (types, []), Region(block), visibility="private")
    attributes = [*(DictionaryAttr({}) for _ in indices), *argument_attributes(values)]
    if any(a.data for a in attributes):
        f.arg_attrs = ArrayAttr(attributes)
    return f


@dataclass(frozen=True)
class LoopOutlineParallelPass(ModulePass):
    """
    Make a function of the body of every outermost parallel nest, and call it there. Its arguments
    are the indices of one step, then the buffers and indices that the body uses from outside: what
    a thread pool needs to run any steps on any thread.

    loop.for %i < 28 parallel { f(%i, %x) }
    ->
    func.func private @kernel_step(%i: index, %x: memref<..>) { f(%i, %x) }
    loop.for %i < 28 parallel { func.call @kernel_step(%i, %x) }
    """

    name = "loop-outline-parallel"
    numerics: ClassVar[str] = "exact"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        taken = {f.sym_name.data for f in op.ops if isinstance(f, func.FuncOp)}
        for f in [f for f in op.ops if isinstance(f, func.FuncOp)]:
            for loop in outermost_parallel(f):
                name, k = f"{f.sym_name.data}_step", 1
                while name in taken:
                    name, k = f"{f.sym_name.data}_step{k}", k + 1
                taken.add(name)
                new = outline(loop, name, by=self.name)
                op.body.block.insert_op_before(new, f)
