"""func + loop + vec + arith + math + memref -> LLVM IR text, one LLVM module per function.

Tables from op to text, loops as blocks with phis, addresses; nothing is decided here.

- A kernel is `define void @NAME(ptr, ...)`: one pointer per memref, no two overlapping unless an
  argument has the attribute `lamina.may_alias`. A part of a kernel may also take indices.
- The entry (a function with the attribute `lamina.entry`) is `define void @NAME(ptr %args)`: args
  points to an array with one pointer per argument.
- `loop.for ... parallel` that only calls a function goes to a pool of threads, by a call of the
  runtime's `lamina_parallel`; any other runs its steps in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import IndexType, MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import DiagnosticException

from lamina.backends.cpu import arithmetic, memory
from lamina.backends.cpu.parallel import called_steps, fork
from lamina.backends.cpu.writer import Handler, Writer
from lamina.backends.machine import Machine
from lamina.dialects import loop

ENTRY = "lamina.entry"
MAY_ALIAS = "lamina.may_alias"
SELDOM = "lamina.seldom"
_PLAIN = re.compile(r"[A-Za-z_.$][A-Za-z0-9_.$]*")


def print_module(module: ModuleOp, machine: Machine) -> dict[str, str]:
    """The LLVM IR text of every function in `module` that has a body, by symbol."""
    if machine.kind != "cpu":
        raise DiagnosticException(f"LLVM needs a cpu target, got {machine.name}")
    texts: dict[str, str] = {}
    for op in module.ops:
        if not isinstance(op, func.FuncOp):
            raise DiagnosticException(f"no LLVM for {op.name} beside functions")
        if op.body.blocks:
            texts[op.sym_name.data] = print_function(op, machine)
    return texts


def print_function(function: func.FuncOp, machine: Machine) -> str:
    """One function as a whole LLVM module, without target triple and data layout."""
    w = Writer(function, machine, HANDLERS)
    name = function.sym_name.data
    if function.function_type.outputs.data:
        raise w.error("a function returns nothing here; give it a memref argument for each result")
    if function.body.block.next_block is not None:
        raise w.error("a function needs one block; control flow is loop.for")
    parameters = _entry_parameters(w) if ENTRY in function.attributes else _parameters(w)
    for op in function.body.block.ops:
        w.emit(op)
    attributes = (
        f'nounwind "target-cpu"="{machine.llvm_cpu}" '
        f'"prefer-vector-width"="{8 * machine.vector_bytes}"'
    )
    declared = "".join(f"{d}\n" for d in sorted(w.declared))
    defined = f"define void @{_symbol(name)}({parameters}) {attributes} {{\n{w.body()}\n}}\n"
    return defined + "".join(w.beside) + declared


def _symbol(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    return '"' + "".join(f"\\{byte:02X}" for byte in name.encode()) + '"'


def _parameters(w: Writer) -> str:
    attributes = w.function.arg_attrs.data if w.function.arg_attrs else ()
    shared = [MAY_ALIAS in a.data for a in attributes] or [False] * len(w.function.args)
    texts = list[str]()
    for k, (a, may_alias) in enumerate(zip(w.function.args, shared, strict=True)):
        if not isinstance(a.type, MemRefType | IndexType):
            raise w.error(f"argument {k} needs a memref or an index, got {a.type}")
        w.name_argument(a)
        unique = isinstance(a.type, MemRefType) and not may_alias
        texts.append(f"{w.type(a.type)} {'noalias ' if unique else ''}{w.names[a]}")
    return ", ".join(texts)


def _entry_parameters(w: Writer) -> str:
    table = "%pointer.table"
    for k, a in enumerate(w.function.args):
        if not isinstance(a.type, MemRefType):
            raise w.error(f"argument {k} of an entry needs a memref, got {a.type}")
        w.name_argument(a)
        slot = w.let(f"getelementptr ptr, ptr {table}, i64 {k}")
        w.lines.append(f"{w.names[a]} = load ptr, ptr {slot}, align 8")
    return f"ptr {table}"


def _return(w: Writer, op: Operation) -> None:
    w.blocks[-1].end = "ret void"


def _call(w: Writer, op: Operation) -> None:
    assert isinstance(op, func.CallOp)
    symbol = _callee(w, op)
    w.lines.append(f"call void @{symbol}({', '.join(map(w.typed, op.arguments))})")


def _callee(w: Writer, op: func.CallOp) -> str:
    """The symbol that is called, declared."""
    callee = op.callee.string_value()
    for a in op.arguments:
        if not isinstance(a.type, MemRefType | IndexType):
            raise w.error(f"a call to @{callee} passes memrefs and indices, got {a.type}")
    if op.res:
        raise w.error(f"a call to @{callee} returns nothing here, got {op.res[0].type}")
    types = ", ".join(w.type(a.type) for a in op.arguments)
    w.declared.add(f"declare void @{_symbol(callee)}({types}) nounwind")
    return _symbol(callee)


def _alloc(w: Writer, op: Operation) -> None:
    raise w.error("no LLVM for memref.alloc; run plan-memory to place buffers in the arena")


def _for(w: Writer, op: Operation) -> None:
    assert isinstance(op, loop.ForOp)
    if (call := called_steps(op)) is not None:
        fork(w, op, call, _callee(w, call))
        return
    carried = [(w.type(v.type), w.name(v)) for v in op.inits]
    steps = list(zip(op.indices, map(int, op.extents.get_values()), strict=True))
    if any(n <= 0 for _, n in steps):
        after = [name for _, name in carried]
    else:
        after = _nest(w, op, steps, carried)
    for v, name in zip(op.res, after, strict=True):
        w.names[v] = name
        w.depth[v] = len(w.open) - 1


def _nest(
    w: Writer, op: loop.ForOp, steps: Sequence[tuple[SSAValue, int]], carried: list[tuple[str, str]]
) -> list[str]:
    """One LLVM loop per index, the carried values as phis of each; the values after the nest."""
    if not steps:
        return _body(w, op, [name for _, name in carried])
    (index, extent), *inner = steps
    if extent == 1:  # a number, so that nothing is left of this loop
        w.names[index], w.numbers[index] = "0", 0
        return _nest(w, op, inner, carried)
    before = w.blocks[-1]
    w.names[index] = w.named(index)
    w.extents[index] = extent
    w.depth[index] = len(w.open)
    body, after = f"loop{w.count}", f"after{w.count}"
    before.end = f"br label %{body}"
    top = w.start(body)
    w.open.append(top)
    phis = [(t, w.fresh()) for t, _ in carried]
    following = _nest(w, op, inner, phis)
    w.open.pop()
    step = w.let(f"add nuw nsw i64 {w.names[index]}, 1")
    more = w.let(f"icmp ne i64 {step}, {extent}")
    end = w.blocks[-1]
    end.end = f"br i1 {more}, label %{body}, label %{after}"
    rows = zip(
        [("i64", w.names[index]), *phis],
        ["0", *(n for _, n in carried)],
        [step, *following],
        strict=True,
    )
    top[:0] = [
        f"{phi} = phi {t} [ {first}, %{before.label} ], [ {then}, %{end.label} ]"
        for (t, phi), first, then in rows
    ]
    w.open[-1] = w.start(after)
    w.pointers = {k: p for k, p in w.pointers.items() if not _uses(k, index)}
    return following


def _uses(key: tuple[object, ...], index: SSAValue) -> bool:
    return any(isinstance(part, tuple) and index in part for part in key)


def _body(w: Writer, op: loop.ForOp, carried: Sequence[str]) -> list[str]:
    for v, name in zip(op.carried, carried, strict=True):
        w.names[v] = name
        w.depth[v] = len(w.open) - 1
    *ops, last = op.body.block.ops
    for o in ops:
        w.emit(o)
    return [w.name(v) for v in last.operands]


def _if(w: Writer, op: Operation) -> None:
    """Two blocks that meet again; what each computes stays in it, as in a loop."""
    assert isinstance(op, loop.IfOp)
    if (known := w.numbers.get(op.index)) is not None:
        for o in (op.below if known < op.limit.data else op.rest).block.ops:
            w.emit(o)
        return
    below = w.let(f"icmp slt i64 {w.name(op.index)}, {op.limit.data}")
    before, labels = w.blocks[-1], [f"{name}{w.count}" for name in ("below", "rest", "joined")]
    before.end = f"br i1 {below}, label %{labels[0]}, label %{labels[1]}"
    for label, body in zip(labels, (op.below, op.rest), strict=False):
        outside = dict(w.pointers)
        w.open.append(w.start(label))
        for o in body.block.ops:
            w.emit(o)
        w.blocks[-1].end = f"br label %{labels[2]}"
        w.open.pop()
        w.pointers = outside
    w.open[-1] = w.start(labels[2])


def _choose(w: Writer, op: Operation) -> None:
    """Two blocks that hand values on to where they meet again."""
    assert isinstance(op, scf.IfOp)
    if not op.false_region.blocks:
        raise w.error("no LLVM for scf.if without else")
    labels = [f"{name}{w.count}" for name in ("then", "else", "joined")]
    w.blocks[
        -1
    ].end = f"br i1 {w.name(op.cond)}, label %{labels[0]}, label %{labels[1]}{_weights(w, op)}"
    ends: list[tuple[str, list[str]]] = []
    for label, body in zip(labels, op.regions, strict=False):
        outside = dict(w.pointers)
        w.open.append(w.start(label))
        *ops, last = body.block.ops
        for o in ops:
            w.emit(o)
        w.blocks[-1].end = f"br label %{labels[2]}"
        ends.append((w.blocks[-1].label, [w.name(v) for v in last.operands]))
        w.open.pop()
        w.pointers = outside
    w.open[-1] = w.start(labels[2])
    for k, v in enumerate(op.output):
        sources = ", ".join(f"[ {names[k]}, %{label} ]" for label, names in ends)
        w.define(v, f"phi {w.type(v.type)} {sources}")


def _weights(w: Writer, op: scf.IfOp) -> str:
    """What LLVM is told of how often a branch is taken: values stay in registers for the other."""
    if SELDOM not in op.attributes:
        return ""
    w.declared.add('!0 = !{!"branch_weights", i32 1, i32 50}')
    return ", !prof !0"


def _yield(w: Writer, op: Operation) -> None:
    pass  # of a loop.if, which yields nothing; that of a loop is part of the loop


HANDLERS: dict[type[Operation], Handler] = {
    **arithmetic.HANDLERS,
    **memory.HANDLERS,
    func.ReturnOp: _return,
    func.CallOp: _call,
    loop.ForOp: _for,
    loop.IfOp: _if,
    scf.IfOp: _choose,
    loop.YieldOp: _yield,
    memref.AllocOp: _alloc,
}
