"""What `lamina compile --report` finds out: all kernels of a network, how layouts were chosen."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.hints import isa

from lamina import steps
from lamina.backends.machine import Machine
from lamina.backends.model import CompiledModel
from lamina.compiler import known, machine_of, recorded
from lamina.context import LaminaContext
from lamina.dialects.graph import ConstantOp, layout_of, shape
from lamina.errors import LaminaError
from lamina.passes.graph._layout_choice import Choice
from lamina.passes.graph.select_layouts import BY_RULE, SelectLayoutsPass
from lamina.progress import Progress, progress_bar
from lamina.tools._arrays import random_inputs
from lamina.tools._models import options_of

ROUNDS = 10
"""in which every kernel is timed"""


@dataclass(frozen=True)
class Kernel:
    """One call of a kernel, in its place in the network."""

    symbol: str
    ops: tuple[str, ...]
    """what it computes, in the words of `graph`"""
    source: str
    """the name in the user's model of what it computes"""
    reads: str
    """the layouts of its operands but for constants, such as `NCHW NCHW16c`"""
    writes: str
    """the layout of its result"""
    bytes: int
    """of all that it reads and writes, each once"""
    flops: int
    predicted: float
    measured: float | None
    after: tuple[int, ...]
    """the calls whose results it reads; -1 is an input of the network"""

    @property
    def algorithm(self) -> str:
        """How it computes what it does."""
        if self.moves:
            return "border" if self.reads == self.writes else "transform"
        return "winograd" if any(op.startswith("winograd") for op in self.ops) else "direct"

    @property
    def moves(self) -> bool:
        """Whether it only stores a tensor in another layout, or with a border of zeros."""
        return set(self.ops) == {"relayout"}

    @property
    def seconds(self) -> float:
        """Measured, if it could be, or predicted."""
        return self.predicted if self.measured is None else self.measured


@dataclass(frozen=True)
class Network:
    """A compiled model, with all that is to be said of it."""

    name: str
    machine: Machine
    threads: int
    kernels: tuple[Kernel, ...]
    choices: tuple[Choice, ...]
    way: str
    """how layouts were chosen"""
    unmeasured: str
    """why there are no measured times; empty if there are"""
    model: CompiledModel


def report_on(args: Namespace) -> Network:
    """Compile the model that a command was given, look at it between the passes, and time it."""
    machine = machine_of(args.target)
    if machine.kind != "cpu":
        raise LaminaError(f"--report needs a model that is compiled for a CPU, found {args.target}")
    machine = known(machine)
    options = options_of(args)
    with steps.no_garbage_collection(), progress_bar() as step:
        step("read", more=1)
        ctx, module = steps.read(args.model, dict(args.shape))
        ctx.schedules = {} if args.no_records else recorded(machine)
        passes = steps.remaining(module, args.target, options)
        to_graph = steps.until(passes, "graph")
        if not to_graph:
            raise LaminaError(f"--report needs a network on the level graph, found '{args.model}'")
        choices = _to_kernels(ctx, module, to_graph, step)
        seen = list(_calls(module))
        steps.lower(ctx, module, passes[len(to_graph) :], step)
        model = steps.generate(ctx, module, machine, step, options)
    measured, why = _times(model)
    calls = model.manifest.calls
    assert len(calls) == len(seen), (len(calls), len(seen))
    kernels = tuple(
        Kernel(
            c.symbol, s.ops, c.source, s.reads, s.writes, s.bytes, c.flops, c.predicted, t, s.after
        )
        for c, s, t in zip(calls, seen, measured or [None] * len(calls), strict=True)
    )
    return Network(args.model, machine, options.threads, kernels, choices, args.layouts, why, model)


def _to_kernels(
    ctx: LaminaContext, module: ModuleOp, passes: Sequence[ModulePass], step: Progress
) -> tuple[Choice, ...]:
    """Lower to kernels; how layouts were chosen on the way."""
    place = next((n for n, p in enumerate(passes) if isinstance(p, SelectLayoutsPass)), 0)
    select = passes[place]
    steps.lower(ctx, module, passes[:place], step)
    choices: tuple[Choice, ...] = ()
    if isinstance(select, SelectLayoutsPass) and select.search != BY_RULE:
        choices = tuple(choice for _, choice in select.choose(module))
    steps.lower(ctx, module, passes[place:], step)
    return choices


@dataclass(frozen=True)
class _Call:
    ops: tuple[str, ...]
    reads: str
    writes: str
    bytes: int
    after: tuple[int, ...]


def _calls(module: ModuleOp) -> Iterator[_Call]:
    """What can be seen of the calls while tensors have layouts."""
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, func.FuncOp)}
    main = next(f for f in functions.values() if "lamina.entry" in f.attributes)
    places: dict[Operation, int] = {}
    for call in main.body.block.ops:
        if not isinstance(call, func.CallOp):
            continue
        places[call] = len(places)
        body = functions[call.callee.string_value()].body.block.ops
        ops = [
            op.name.rpartition(".")[2]
            for op in body
            if not isinstance(op, func.ReturnOp | ConstantOp)
        ]
        read = [x for x in call.operands if not isinstance(x.owner, ConstantOp)]
        layouts = dict.fromkeys(layout_of(x.type).text for x in read)
        yield _Call(
            tuple(ops),
            " ".join(layouts),
            layout_of(call.results[0].type).text,
            sum(_bytes(x) for x in (*call.operands, *call.results)),
            tuple(dict.fromkeys(n for x in read for n in _makers(x, places))),
        )


def _makers(value: SSAValue, places: dict[Operation, int]) -> Iterator[int]:
    """The calls that write the bytes of a value."""
    owner = value.owner
    if isinstance(owner, Block):
        yield -1
    elif owner in places:
        yield places[owner]
    elif not isinstance(owner, ConstantOp):
        for x in owner.operands:
            yield from _makers(x, places)


def _bytes(value: SSAValue) -> int:
    type = value.type
    assert isa(type, TensorType), type
    element = type.element_type
    assert isinstance(element, FixedBitwidthType), element
    return prod(layout_of(type).apply_shape(shape(value))) * element.size


def _times(model: CompiledModel) -> tuple[list[float], str]:
    """Seconds of every call, or why there are none."""
    try:
        timings = model.profile(random_inputs(model.inputs, 0), ROUNDS)
    except LaminaError as e:
        return [], str(e)
    return [t.seconds for t in timings], ""
