"""All of it in order: a float model, data, and what the user chose, to a quantized model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from onnx import ModelProto

from lamina.errors import LaminaError
from lamina.frontends.onnx.model import Model
from lamina.passes.int8._ranges import Ranges, checked, read_ranges
from lamina.passes.int8._rules import KINDS, LAYERS, Plan, Rules, plan, unmatched
from lamina.passes.int8._scales import ACTIVATIONS, LIMITS, scale_of
from lamina.progress import progress_bar
from lamina.tools.quantize.accuracy import Accuracy, Row, measure
from lamina.tools.quantize.collect import collected, state_file
from lamina.tools.quantize.methods import METHODS, range_of
from lamina.tools.quantize.nodes import steps
from lamina.tools.quantize.observe import Observer
from lamina.tools.quantize.prepare import prepared
from lamina.tools.quantize.samples import Data, Samples, samples_of
from lamina.tools.quantize.write import Scales, Writer

Source = str | os.PathLike[str] | ModelProto
"""a file, or a model in memory"""


@dataclass(frozen=True)
class Settings:
    """What the user chooses; LaminaError for what there is not."""

    method: str = "minmax"
    percentile: float = 99.999
    """the share of a tensor's numbers that its range covers, with method "percentile\""""
    activations: str = "u8"
    """u8 or s8"""
    seven_bit: bool = False
    """whether weights are at most 64, so that sums of two products fit 16 bits"""
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise LaminaError(f"methods are {', '.join(METHODS)}, found '{self.method}'")
        if not 50 < self.percentile <= 100:
            raise LaminaError(f"a percentile is above 50 and up to 100, got {self.percentile}")
        if self.activations not in ACTIVATIONS:
            raise LaminaError(f"activations are u8 or s8, found '{self.activations}'")
        if unknown := set(self.rules.kinds) - set(KINDS):
            raise LaminaError(f"kinds are {', '.join(KINDS)}, found '{min(unknown)}'")


class Quantizer:
    """A model on its way to 8 bits."""

    def __init__(
        self,
        model: Source,
        settings: Settings,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.settings = settings
        self.model = prepared(model, shapes or {})
        self._shapes = shapes
        self._steps = steps(self.model)
        if odd := unmatched(self._steps, settings.rules):
            raise self.model.error(f"no node is named like '{odd[0]}', which is to stay float")
        self.outputs = [v.name for v in self.model.proto.graph.output]
        self.plan: Plan = plan(self._steps, set(self.outputs), settings.rules)
        if not self.plan.layers:
            raise self.model.error(_nothing(self.plan))
        self.resumed = 0
        """samples that an earlier run had collected"""

    @cached_property
    def observed(self) -> list[str]:
        """The tensors whose ranges decide."""
        return list(dict.fromkeys(name for names in self.plan.observed.values() for name in names))

    def samples(self, data: Data) -> Samples:
        """The user's data."""
        return samples_of(self.model, data, self._shapes)

    def calibrated(self, samples: Samples, *, keep: bool = True, again: bool = False) -> Ranges:
        """The ranges of the observed tensors on all samples."""
        path = state_file(self.model.proto, samples, self.observed) if keep else None
        state, self.resumed = collected(
            samples,
            self.observed,
            lambda: Observer(self.model.proto, self.observed, samples.shapes),
            path,
            again,
        )
        s = self.settings
        return {n: range_of(h, s.method, s.percentile) for n, h in state.histograms.items()}

    def scales(self, ranges: Ranges) -> Scales:
        """The scale of every quantized tensor: of the ranges of all with which it shares one."""
        dtype = ACTIVATIONS[self.settings.activations]
        found = {
            name: scale_of((min(ranges[n][0] for n in of), max(ranges[n][1] for n in of)), dtype)
            for name, of in self.plan.observed.items()
        }
        return {name: found[leader] for name, leader in self.plan.tensors.items()}

    def written(self, ranges: Ranges, *, simulate: bool = False) -> ModelProto:
        """The quantized model, or the one of floats that is rounded in the same places."""
        found = Model(self._writer(ranges, simulate).write(), self.model.where, "", {})
        found.check()
        return found.proto

    def _writer(self, ranges: Ranges, simulate: bool) -> Writer:
        limit = LIMITS[self.settings.seven_bit]
        return Writer(self.model, self.plan, self.scales(ranges), limit, simulate)

    def accuracy(self, ranges: Ranges, samples: Samples) -> Accuracy:
        """What quantization costs on these samples."""
        writer = self._writer(ranges, simulate=True)
        simulated = Observer(writer.write(), self.observed, samples.shapes)
        exact = Observer(self.model.proto, self.observed, samples.shapes)
        rows = {name: Row(name, self._readers(name)) for name in self.observed}
        with progress_bar() as step:
            step("accuracy", more=1 + len(samples))
            return measure(
                samples.since(0),
                exact,
                simulated,
                rows,
                writer.scales,
                self.outputs,
                writer.weights,
                step,
            )

    def _readers(self, name: str) -> str:
        return ", ".join(s.name for s in self._steps if name in s.reads)

    def summary(self) -> str:
        """How much is quantized, and which layers are not."""
        layers = len(self.plan.layers) + len(self.plan.kept)
        head = (
            f"{self.model.where}: {len(self.plan.layers)} of {layers} layers in 8 bits, and "
            f"{len(self.plan.tensors)} tensors"
        )
        kept = (f"  {name} stays float: {why}" for name, why in self.plan.kept.items())
        return "\n".join([head, *kept])


def _nothing(plan: Plan) -> str:
    """Why there is nothing to quantize."""
    if not plan.kept:
        return f"nothing to quantize: no layer ({', '.join(LAYERS)}) in it"
    kept = ", ".join(f"'{name}' ({why})" for name, why in plan.kept.items())
    return f"nothing to quantize: all layers stay float: {kept}; --whole quantizes first and last"


def quantize(
    model: Source,
    data: Data | None = None,
    *,
    method: str = "minmax",
    percentile: float = 99.999,
    activations: str = "u8",
    seven_bit: bool = False,
    kinds: Sequence[str] = KINDS,
    keep_float: Sequence[str] = (),
    whole: bool = False,
    ranges: Ranges | str | os.PathLike[str] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    simulate: bool = False,
    cache: bool = True,
) -> ModelProto:
    """
    A float ONNX model as one of 8-bit integers, in standard QDQ form.

    `model` is a file or a model in memory, and stays as it is. `data` are samples of its inputs: an
    `.npz` file with an array for each input, whose first dimension are samples; a folder of `.npz`
    or `.npy` files, each with one sample or several; or the same in memory: a mapping of arrays, an
    array for a model with one input, or a sequence of such. The ranges of tensors on them are
    found by `method`: "minmax", "percentile" or "entropy". Or `ranges` are known, from a file or
    as a mapping of names to pairs.

    Layers of `kinds` get weights in 8 bits, symmetric for each output channel, but for the first
    convolutions and the last layers, unless `whole`, and for those whose name matches a pattern in
    `keep_float`. `activations` are "u8" or "s8". With `seven_bit`, weights are at most 64.

    With `simulate`, the result computes in float, and rounds what would be 8 bits. With `cache`,
    what was collected is kept: a run that was interrupted goes on from there. Whatever is wrong
    with model or data is a LaminaError of one line.
    """
    rules = Rules(tuple(kinds), tuple(keep_float), whole)
    settings = Settings(method, percentile, activations, seven_bit, rules)
    quantizer = Quantizer(model, settings, shapes)
    if (data is None) == (ranges is None):
        raise LaminaError("quantization needs either data or ranges")
    if ranges is None:
        assert data is not None
        found = quantizer.calibrated(quantizer.samples(data), keep=cache)
    elif isinstance(ranges, Mapping):
        found = checked(ranges, quantizer.observed, "ranges")
    else:
        found = read_ranges(Path(ranges), quantizer.observed)
    return quantizer.written(found, simulate=simulate)
