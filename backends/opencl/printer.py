"""
func + loop + vec + arith + math -> OpenCL C, a vector being a subgroup; nothing is decided here.

- A vector of as many lanes as a subgroup has is one variable in each work-item. A scalar is the
  same in all of them.
- The parallel nests around everything else are the grid: one subgroup, which is one work-group, for
  each of their steps; the innermost index is `get_group_id(0)`.
- A carried value is a variable that each iteration sets anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.machine import Machine
from lamina.backends.opencl import arithmetic, memory
from lamina.backends.opencl.writer import Handler, Writer
from lamina.dialects.loop import ForOp, IfOp, YieldOp
from lamina.dialects.vector import MemoryOp, StoreOp, StoreStridedOp

MAY_ALIAS = "lamina.may_alias"
DIMENSIONS = 3
HEADER = "#pragma OPENCL FP_CONTRACT OFF\n"
"""a * b + c is a fused multiply-add where the IR says so, and nowhere else"""


@dataclass(frozen=True)
class Kernel:
    """One kernel, and how many work-groups it is launched with in each dimension of the grid."""

    name: str
    source: str
    grid: tuple[int, ...]


def print_module(module: ModuleOp, machine: Machine) -> list[Kernel]:
    """Every function of `module` that has a body, as a kernel."""
    return [print_kernel(f, subgroup(machine)) for f in functions_of(module)]


def subgroup(machine: Machine) -> int:
    """How many lanes a subgroup of `machine` has."""
    if machine.kind != "opencl" or machine.name == "opencl:portable":
        raise DiagnosticException(
            f"opencl: kernels are for devices with subgroups, got {machine.name}; "
            "use opencl:intel-gen9 or opencl:intel-xe"
        )
    return machine.lanes(4)


def functions_of(module: ModuleOp) -> list[func.FuncOp]:
    """The functions of `module` that have a body; fails if anything else is beside them."""
    functions: list[func.FuncOp] = []
    for op in module.ops:
        if not isinstance(op, func.FuncOp):
            raise DiagnosticException(f"opencl: no OpenCL for {op.name} beside functions")
        if op.body.blocks:
            functions.append(op)
    return functions


def print_kernel(function: func.FuncOp, width: int) -> Kernel:
    """One function as a kernel for subgroups of `width`."""
    w = Writer(function, width, HANDLERS)
    name, parameters = function.sym_name.data, _parameters(w)
    nests = _grid(w)
    indices = [i for nest in nests for i in nest.indices]
    extents = [n for nest in nests for n in nest.extents.get_values()]
    if len(extents) > DIMENSIONS:
        raise w.error(f"a grid has {DIMENSIONS} dimensions, {len(extents)} indices are parallel")
    for dimension, index in enumerate(reversed(indices)):
        w.define(index, f"get_group_id({dimension})")
    for op in function.body.block.ops:
        w.emit(op)
    lane = ["    const uint lane = get_sub_group_local_id();"] if w.uses_lane else []
    steps = [f"{w.name(i)} < {n}" for i, n in zip(indices, extents, strict=True)]
    source = [
        f"// a subgroup of {width} for each of {', '.join(steps)}" if steps else "// one subgroup",
        f"__attribute__((intel_reqd_sub_group_size({width})))",
        f"__attribute__((reqd_work_group_size({width}, 1, 1)))",
        f"__kernel void {name}({parameters})",
        *("{", *lane, *w.lines, "}"),
    ]
    return Kernel(name, "\n".join(source) + "\n", tuple(reversed(extents)) or (1,))


def _parameters(w: Writer) -> str:
    f = w.function
    accesses = [op for op in f.walk() if isinstance(op, MemoryOp)]
    written = {op.ref for op in accesses if isinstance(op, StoreOp | StoreStridedOp)}
    for op in accesses:
        if op.ref in written and not isinstance(op, StoreOp | StoreStridedOp):
            raise w.error(
                f"{op.name} reads a {op.memref} that the kernel also writes, which other lanes may "
                "not see; split the function there"
            )
    parameters: list[str] = []
    for k, a in enumerate(f.body.block.args):
        if not isinstance(a.type, MemRefType):
            raise w.error(f"argument {k} needs a memref, got {a.type}")
        shared = f.arg_attrs is not None and MAY_ALIAS in f.arg_attrs.data[k].data
        const, restrict = "" if a in written else "const ", "" if shared else " restrict"
        element = w.stored(a.type.element_type)
        parameters.append(f"{const}__global {element}*{restrict} {w.name(a)}")
    return ", ".join(parameters)


def _grid(w: Writer) -> list[ForOp]:
    """The parallel nests that hold all else, outermost first."""
    found: list[ForOp] = []
    block: Block | None = w.function.body.block
    while block is not None:
        nests = [op for op in block.ops if _is_parallel(op)]
        for op in block.ops:
            if nests and op not in nests[:1] and not _is_free(op):
                raise w.error(
                    f"a kernel is one parallel nest, but {op.name} stands beside it; make "
                    "functions of their own"
                )
        block = None
        if nests and isinstance(nest := nests[0], ForOp):
            found.append(nest)
            block = nest.body.block
    return found


def _is_parallel(op: Operation) -> bool:
    return isinstance(op, ForOp) and op.mapping.data == "parallel"


def _is_free(op: Operation) -> bool:
    return isinstance(op, YieldOp | func.ReturnOp) or is_side_effect_free(op)


def _for(w: Writer, op: Operation) -> None:
    assert isinstance(op, ForOp)
    if _is_parallel(op):
        outer = op.parent_op()
        if not isinstance(outer, func.FuncOp) and not (outer and _is_parallel(outer)):
            raise w.error("a parallel nest stands in a loop that is not parallel")
        for inner in op.body.block.ops:
            w.emit(inner)
        return
    for carried, init in zip(op.carried, op.inits, strict=True):
        w.line(f"{w.type(carried.type)} {w.name(carried)} = {w.name(init)};")
    loops = zip(op.indices, op.extents.get_values(), strict=True)
    heads = [f"for (uint {w.name(i)} = 0; {w.name(i)} < {n}; ++{w.name(i)})" for i, n in loops]
    for head in heads[:-1]:
        w.line(head)
    w.line(f"{heads[-1]} {{")
    w.indent += 1
    for inner in op.body.block.ops:
        w.emit(inner)
    w.indent -= 1
    w.line("}")
    w.names.update(zip(op.res, map(w.name, op.carried), strict=True))


def _if(w: Writer, op: Operation) -> None:
    assert isinstance(op, IfOp)
    heads = (f"if ({w.name(op.index)} < {op.limit.data}) {{", "else {")
    for head, body in zip(heads, (op.below, op.rest), strict=True):
        if len(body.block.ops) > 1 or head != heads[1]:
            w.line(head)
            w.indent += 1
            for inner in body.block.ops:
                w.emit(inner)
            w.indent -= 1
            w.line("}")


def _yield(w: Writer, op: Operation) -> None:
    """Set the carried values, all at once: one that becomes another is copied first."""
    loop = op.parent_op()
    if isinstance(loop, IfOp):
        return
    assert isinstance(loop, ForOp)
    carried: Sequence[SSAValue] = loop.carried
    texts = [w.name(v) for v in op.operands]
    for k, (c, v) in enumerate(zip(carried, op.operands, strict=True)):
        if v in carried and v is not c:
            texts[k] = w.fresh("next")
            w.line(f"const {w.type(v.type)} {texts[k]} = {w.name(v)};")
    for c, v, text in zip(carried, op.operands, texts, strict=True):
        if v is not c:
            w.line(f"{w.name(c)} = {text};")


def _nothing(w: Writer, op: Operation) -> None:
    pass


HANDLERS: dict[type[Operation], Handler] = {
    **arithmetic.HANDLERS,
    **memory.HANDLERS,
    ForOp: _for,
    IfOp: _if,
    YieldOp: _yield,
    func.ReturnOp: _nothing,
}
