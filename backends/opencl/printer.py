"""
func + loop + vec + arith + math -> OpenCL C; nothing is decided here.

- `lamina.grid` says of a nest that it is launched: a kernel, with one work-group for each of its
  steps. `lamina.lanes` says whether that is a subgroup, or only as many work-items. A function
  without such a nest is a kernel of one step.
- A vector of as many lanes as a group has work-items is one variable in each of them; of a shorter
  one the last lanes stand for nothing. A scalar is the same in all of them; the first stores it.
- A carried value is a variable that each iteration sets anew. Loops stay loops: what is unrolled is
  so in the IR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.machine import Machine
from lamina.backends.opencl import arithmetic, memory
from lamina.backends.opencl.writer import DIMENSIONS, GRID, LANES, Handler, Writer
from lamina.dialects.loop import ForOp, IfOp, YieldOp
from lamina.dialects.vector import MemoryOp, StoreOp, StoreStridedOp

MAY_ALIAS = "lamina.may_alias"
HEADER = """\
#pragma OPENCL FP_CONTRACT OFF
#if __OPENCL_C_VERSION__ >= 200
#define ROLLED __attribute__((opencl_unroll_hint(1)))
#else
#define ROLLED
#endif
"""
"""
a * b + c is a fused multiply-add where the IR says so, and nowhere else; loops stay loops where
OpenCL has a word for that
"""


@dataclass(frozen=True)
class Kernel:
    """One launch of a function: its text, and what it is launched with."""

    name: str
    source: str
    grid: tuple[int, ...]
    """how many work-groups there are in each dimension"""
    arguments: tuple[int, ...]
    """which arguments of the function it is given, in order"""


def print_module(module: ModuleOp, machine: Machine) -> dict[str, list[Kernel]]:
    """The kernels of every function of `module` that has a body, by its name."""
    return {f.sym_name.data: print_function(f, machine) for f in functions_of(module)}


def functions_of(module: ModuleOp) -> list[func.FuncOp]:
    """The functions of `module` that have a body; fails if anything else is beside them."""
    functions: list[func.FuncOp] = []
    for op in module.ops:
        if not isinstance(op, func.FuncOp):
            raise DiagnosticException(f"opencl: no OpenCL for {op.name} beside functions")
        if op.body.blocks:
            functions.append(op)
    return functions


def print_function(function: func.FuncOp, machine: Machine) -> list[Kernel]:
    """The kernels of one function, in the order of their launches."""
    if machine.kind != "opencl":
        raise DiagnosticException(f"opencl: kernels are for OpenCL devices, got {machine.name}")
    name, ops = function.sym_name.data, list(function.body.block.ops)
    nests = [op for op in ops if isinstance(op, ForOp) and GRID in op.attributes]
    if not nests:
        return [_kernel(function, name, None, ops, machine)]
    for op in ops:
        if op not in nests and not _is_free(op):
            raise _writer(function, None, machine).error(
                f"{op.name} stands beside what is launched; run loop-map-to-grid"
            )
    names = [name] if len(nests) == 1 else [f"{name}_nest{k}" for k in range(len(nests))]
    return [
        _kernel(function, name, nest, [*_needed(nest, ops), *nest.body.block.ops], machine)
        for name, nest in zip(names, nests, strict=True)
    ]


def _needed(nest: ForOp, ops: Sequence[Operation]) -> list[Operation]:
    """Those of `ops`, which stand before `nest`, whose results it uses."""
    found: list[Operation] = []
    used = {v.owner for op in nest.walk() for v in op.operands}
    for op in reversed(ops[: ops.index(nest)]):
        if op in used and _is_free(op):
            found.append(op)
            used |= {v.owner for v in op.operands}
    return found[::-1]


def _kernel(
    function: func.FuncOp,
    name: str,
    nest: ForOp | None,
    ops: Sequence[Operation],
    machine: Machine,
) -> Kernel:
    """The kernel that does `ops` in each step of `nest`."""
    w = _writer(function, nest, machine)
    arguments, parameters = _parameters(w, ops)
    grid = [1] * DIMENSIONS
    steps = f"{w.group} of {w.width}"
    if nest is not None:
        grid = _indices(w, nest)
        extents = zip(nest.indices, nest.extents.get_values(), strict=True)
        steps = ", ".join(f"{w.name(i)} < {n}" for i, n in extents)
        steps = f"{w.group} of {w.width} for each of {steps}"
    for op in ops:
        w.emit(op)
    source = [
        f"// {steps}",
        *([f"__attribute__((intel_reqd_sub_group_size({w.width})))"] if w.subgroups else []),
        f"__attribute__((reqd_work_group_size({w.width}, 1, 1)))",
        f"__kernel void {name}({parameters})",
        *("{", *w.declarations(), *w.lines, "}"),
    ]
    return Kernel(name, "\n".join(source) + "\n", tuple(grid), arguments)


def _writer(function: func.FuncOp, nest: ForOp | None, machine: Machine) -> Writer:
    """For a kernel with the lanes that its nest says; without one, with those of the machine."""
    subgroups = able = machine.flavour == "intel_subgroups"
    if nest is not None:
        who = nest.attributes.get(LANES, StringAttr("subgroup"))
        subgroups = who == StringAttr("subgroup")
        if not subgroups and who != StringAttr("work_items"):
            text = f'{LANES} is "subgroup" or "work_items", got {who}'
            raise Writer(function, machine.lanes(4), able, HANDLERS).error(text)
    w = Writer(function, machine.lanes(4), subgroups, HANDLERS)
    if subgroups and not able:
        raise w.error(
            f"a vector is a subgroup, of which {machine.name} has none; "
            "loop-map-to-grid{lanes=work_items} says what it is then"
        )
    return w


def _indices(w: Writer, nest: ForOp) -> list[int]:
    """
    Define the indices of `nest` by the work-group; how many there are in each dimension.

    Of the indices in one dimension the last varies fastest.
    """
    dimensions = w.grid_of(nest)
    grid = [1] * DIMENSIONS
    extents = nest.extents.get_values()
    left = [dimensions.count(d) for d in range(DIMENSIONS)]
    for index, n, d in reversed(list(zip(nest.indices, extents, dimensions, strict=True))):
        text = f"get_group_id({d})" + (f" / {grid[d]}" if grid[d] > 1 else "")
        left[d] -= 1
        w.define(index, f"{text} % {n}" if left[d] else text)
        grid[d] *= n
    return grid


def _parameters(w: Writer, ops: Sequence[Operation]) -> tuple[tuple[int, ...], str]:
    """The arguments of the function that `ops` use, as parameters."""
    f = w.function
    accesses = [op for outer in ops for op in outer.walk() if isinstance(op, MemoryOp)]
    written = {op.ref for op in accesses if isinstance(op, StoreOp | StoreStridedOp)}
    used = {v for outer in ops for op in outer.walk() for v in op.operands}
    parameters: dict[int, str] = {}
    for k, a in enumerate(f.body.block.args):
        if not isinstance(a.type, MemRefType):
            raise w.error(f"argument {k} needs a memref, got {a.type}")
        element = w.stored(a.type.element_type)
        if a in used:
            shared = f.arg_attrs is not None and MAY_ALIAS in f.arg_attrs.data[k].data
            const, restrict = "" if a in written else "const ", "" if shared else " restrict"
            parameters[k] = f"{const}__global {element}*{restrict} {w.name(a)}"
    return tuple(parameters), ", ".join(parameters.values())


def _is_free(op: Operation) -> bool:
    return isinstance(op, YieldOp | func.ReturnOp) or is_side_effect_free(op)


def _for(w: Writer, op: Operation) -> None:
    assert isinstance(op, ForOp)
    if op.mapping.data:
        raise w.error(f"a {op.mapping.data} nest is mapped to nothing; run loop-map-to-grid")
    for carried, init in zip(op.carried, op.inits, strict=True):
        w.line(f"{w.type(carried.type)} {w.name(carried)} = {w.name(init)};")
    loops = zip(op.indices, op.extents.get_values(), strict=True)
    names = [(w.name(i), n) for i, n in loops]
    heads = [f"ROLLED for (uint {name} = 0; {name} < {n}; ++{name})" for name, n in names]
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
    if not isinstance(loop, ForOp) or not loop.inits:
        return
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
