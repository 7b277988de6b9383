"""Networks on several devices, as on one: all memory is the host's, nothing has to be handed on."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation

from lamina.dialects import graph
from lamina.interpreters.run import Implementation, Run


def _copy(run: Run, op: graph.DeviceCopyOp, args: Sequence[Any]) -> Sequence[Any]:
    return args


def _nothing(run: Run, op: graph.MapOp | graph.UnmapOp, args: Sequence[Any]) -> Sequence[Any]:
    return ()


def _run(run: Run, op: graph.RunOp, args: Sequence[Any]) -> Sequence[Any]:
    name = op.region.string_value()
    type = run.function(name).function_type
    inputs = [
        graph.layout_of(t).invert_array(x, cast(TensorType[Attribute], t).get_shape())
        for t, x in zip(type.inputs, args, strict=False)
    ]
    results = run.call(name, inputs)
    for t, y, buffer in zip(type.outputs, results, args[len(inputs) :], strict=True):
        buffer[...] = graph.layout_of(t).apply_array(y)
    return ()


IMPLEMENTATIONS: Mapping[type[Operation], Implementation] = {
    graph.DeviceCopyOp: _copy,
    graph.MapOp: _nothing,
    graph.UnmapOp: _nothing,
    graph.RunOp: _run,
}
