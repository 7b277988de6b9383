"""Parallel loops whose steps a pool of threads runs: a call of the runtime, and what it calls back.

A nest that only calls a function, as `loop-outline-parallel` leaves it, is such a loop. What the
function is given lies in an array on the stack of the caller, which waits until all is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects import func
from xdsl.ir import SSAValue

from lamina.backends.cpu.thread_pool import PARALLEL
from lamina.backends.cpu.writer import Writer
from lamina.dialects import loop


def called_steps(op: loop.ForOp) -> func.CallOp | None:
    """What every step of a parallel nest calls, if it does nothing else."""
    first, *more = op.body.block.ops
    if op.mapping.data != "parallel" or len(more) != 1 or not isinstance(first, func.CallOp):
        return None
    return None if first.res else first


def fork(w: Writer, op: loop.ForOp, call: func.CallOp, symbol: str) -> None:
    """
    loop.for %k < 2 parallel { func.call @step(%k, %x) }
    ->
    store ptr %x, ptr %context
    call void @lamina_parallel(ptr @thunk, ptr %context, i64 2)
    """
    given = [a for a in call.arguments if a not in op.indices]
    w.count += 1
    context, thunk = f"%context{w.count}", f"@step{w.count}"
    w.blocks[0].lines.insert(0, f"{context} = alloca [{max(1, len(given))} x i64], align 64")
    for k, a in enumerate(given):
        slot = w.let(f"getelementptr i64, ptr {context}, i64 {k}")
        w.lines.append(f"store {w.typed(a)}, ptr {slot}, align 8")
    extents = list(map(int, op.extents.get_values()))
    w.declared.add(f"declare void @{PARALLEL}(ptr, ptr, i64)")
    w.lines.append(f"call void @{PARALLEL}(ptr {thunk}, ptr {context}, i64 {prod(extents)})")
    numbers = _indices(op.indices, extents)
    loads, arguments = list[str](), list[str]()
    for a in call.arguments:
        type = w.type(a.type)
        if a in op.indices:
            arguments.append(f"{type} {numbers[a][0]}")
            continue
        k = given.index(a)
        arguments.append(f"{type} %a{k}")
        loads += [
            f"%p{k} = getelementptr i64, ptr %context, i64 {k}",
            f"%a{k} = load {type}, ptr %p{k}, align 8",
        ]
    lines = [*(line for _, more in numbers.values() for line in more), *dict.fromkeys(loads)]
    body = "".join(f"  {line}\n" for line in lines)
    w.beside.append(
        f"define internal void {thunk}(ptr %context, i64 %k) nounwind {{\n{body}"
        f"  call void @{symbol}({', '.join(arguments)})\n  ret void\n}}\n"
    )


def _indices(
    indices: Sequence[SSAValue], extents: Sequence[int]
) -> dict[SSAValue, tuple[str, list[str]]]:
    """How each index of the nest follows from the number of a step, the last index fastest."""
    found: dict[SSAValue, tuple[str, list[str]]] = {}
    inner = 1
    for n, (index, extent) in reversed(list(enumerate(zip(indices, extents, strict=True)))):
        name, lines = "%k", list[str]()
        if inner > 1:
            lines.append(f"%q{n} = udiv i64 {name}, {inner}")
            name = f"%q{n}"
        if n:
            lines.append(f"%i{n} = urem i64 {name}, {extent}")
            name = f"%i{n}"
        found[index] = (name, lines)
        inner *= extent
    return found
