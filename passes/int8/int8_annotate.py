"""Choose which tensors of a network are kept in 8 bits, and which layers stay float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, StringAttr, UnitAttr, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from lamina.dialects.graph import (
    SOURCE,
    AddOp,
    AvgPool2dOp,
    ClipOp,
    ConcatOp,
    ConstantOp,
    Conv2dOp,
    DenseOp,
    GlobalAvgPoolOp,
    MatmulOp,
    MaxPool2dOp,
    MulOp,
    ReluOp,
    ReshapeOp,
    TransposeOp,
    shape,
    tensor_type,
)
from lamina.passes.int8._annotations import LAYER, annotate
from lamina.passes.int8._rules import CLAMP, KINDS, Rules, Step, plan, unmatched

_KINDS: Mapping[type[Operation], str] = {
    Conv2dOp: "conv",
    DenseOp: "dense",
    MatmulOp: "matmul",
    AddOp: "add",
    MulOp: "mul",
    AvgPool2dOp: "average",
    GlobalAvgPoolOp: "average",
    ConcatOp: "concat",
    MaxPool2dOp: "max",
    ReshapeOp: "move",
    TransposeOp: "move",
    ReluOp: CLAMP,
    ClipOp: CLAMP,
}


@dataclass(frozen=True)
class Int8AnnotatePass(ModulePass):
    """
    Note on ops and arguments which tensors are to have 8 bits, `int8.range`, and which layers are
    to be computed on such, `int8.layer`; nothing else changes.

    A layer is a conv2d, dense or matmul; the first conv2d and the last layer stay float. What lies
    between layers has 8 bits, too, if one of them follows; what only moves elements keeps their
    scale, and a relu or clip that alone reads a tensor is a part of what computes that. The value
    of `int8.range` are names in a file of ranges: `lamina.source`, `lamina.input`, or the name of
    the SSA value.
    """

    name = "int8-annotate"
    numerics: ClassVar[str] = "exact"

    kinds: tuple[str, ...] = KINDS
    """what may have 8 bits: conv, dense, matmul, add, mul, average, concat, max, move"""
    keep_float: tuple[str, ...] = ()
    """names of ops that stay float, or patterns of names such as features.0.*"""
    whole: bool = False
    """also the first conv2d and the last layer"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if unknown := set(self.kinds) - set(KINDS):
            raise PassFailedException(
                f"{self.name}: kinds are {', '.join(KINDS)}, found '{min(unknown)}'"
            )
        rules = Rules(tuple(self.kinds), tuple(self.keep_float), self.whole)
        mains = [f for f in op.ops if isinstance(f, FuncOp) and not f.is_declaration]
        steps = [_steps(main, _names(main)) for main in mains]
        if odd := unmatched([s for of_one in steps for s in of_one], rules):
            raise PassFailedException(
                f"{self.name}: no op is named like '{odd[0]}', which is to stay float"
            )
        for main, of_one in zip(mains, steps, strict=True):
            _annotate(main, of_one, rules)


def _steps(main: FuncOp, values: Mapping[str, SSAValue]) -> list[Step]:
    """The ops of a function as the rules see them."""
    names = {value: name for name, value in values.items()}
    steps = [_step(op, names) for op in main.body.block.ops if op.results]
    return [s for s in steps if s is not None]


def _annotate(main: FuncOp, steps: Sequence[Step], rules: Rules) -> None:
    values, last = _names(main), main.body.block.last_op
    returned = last.operands if isinstance(last, ReturnOp) else ()
    found = plan(steps, {name for name, x in values.items() if x in returned}, rules)
    for name, leader in found.tensors.items():
        annotate(values[name], found.observed[leader])
    for name in found.layers:
        owner = values[name].owner
        assert isinstance(owner, Operation)
        owner.attributes[LAYER] = UnitAttr()


def _names(main: FuncOp) -> dict[str, SSAValue]:
    """A name for each value of a function: the user's, where there is one."""
    found = dict[str, SSAValue]()
    arguments = main.arg_attrs or ArrayAttr(DictionaryAttr({}) for _ in main.args)
    for attributes, arg in zip(arguments, main.args, strict=True):
        _add(found, attributes.data.get("lamina.input"), arg)
    for op in main.body.block.ops:
        for result in op.results:
            _add(found, op.attributes.get(SOURCE), result)
    return found


def _add(found: dict[str, SSAValue], source: object, value: SSAValue) -> None:
    given = source.data if isinstance(source, StringAttr) else value.name_hint or "v"
    name, n = given, 0
    while name in found:
        name, n = f"{given}#{n}", n + 1
    found[name] = value


def _step(op: Operation, names: Mapping[SSAValue, str]) -> Step | None:
    """An op as the rules see it; nothing of constants."""
    if isinstance(op, ConstantOp):
        return None
    runtime = [x for x in op.operands if not isinstance(x.owner, ConstantOp)]
    reads = tuple(names[x] for x in runtime if tensor_type(x).element_type == f32)
    kind = _KINDS.get(type(op), "float")
    in_float = all(tensor_type(v).element_type == f32 for v in (*op.operands, *op.results))
    if (
        not in_float
        or not reads
        or (kind in ("add", "mul", "concat") and len(reads) < len(op.operands))
    ):
        kind = "float"
    writes = tuple(names[r] for r in op.results)
    return Step(writes[0], kind, reads, writes, _refusal(op, runtime))


def _refusal(op: Operation, runtime: Sequence[SSAValue]) -> str:
    """Why a layer cannot be computed in 8 bits; empty if it can, or is no layer."""
    match op:
        case Conv2dOp() | DenseOp() if not isinstance(op.w.owner, ConstantOp):
            return "its weights are computed"
        case Conv2dOp() | DenseOp() if op.x not in runtime:
            return "its input is no tensor that is computed"
        case MatmulOp() if op.a not in runtime:
            return "its input is no tensor that is computed"
        case MatmulOp() if op.b not in runtime and len(shape(op.b)) != 2:
            return f"its weights have {len(shape(op.b))} dimensions, not 2"
        case _:
            return ""
