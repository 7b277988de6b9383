"""A compiled model that is divided among devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lamina.backends.cpu import artifact
from lamina.backends.cpu.artifact import Artifact
from lamina.backends.cpu.manifest import Manifest
from lamina.backends.interface import Worker
from lamina.backends.model import CompiledModel, Timing, label
from lamina.backends.registry import backend_of
from lamina.backends.spares import Spares
from lamina.backends.split.session import Session

SEPARATOR = "/"
"""between the number of a region and a symbol of its code"""


class SplitModel(CompiledModel):
    """
    A model whose regions run one after the other, each on its device. On memory that devices share
    nothing is copied between them: buffers change hands.
    """

    def __init__(self, manifest: Manifest, models: Sequence[CompiledModel]) -> None:
        self.models = tuple(models)
        calls = [
            replace(c, symbol=f"{k}{SEPARATOR}{c.symbol}")
            for k, model in enumerate(models)
            for c in model.manifest.calls
        ]
        objects = {
            f"{k}{SEPARATOR}{symbol}": code
            for k, model in enumerate(models)
            for symbol, code in model.objects.items()
        }
        super().__init__(objects, replace(manifest, calls=tuple(calls)), {})
        self._idle = Spares[Session]()

    @property
    def threads(self) -> int:
        return max(model.threads for model in self.models)

    def bind(self) -> bool:
        return all([model.bind() for model in self.models if model.threads > 1])

    def _run(self, inputs: list[ArrayLike]) -> list[np.ndarray]:
        arrays, outputs = self._arrays(inputs), self._new_outputs()
        session = self._idle.take(lambda: Session(self.manifest, self.models, self._workers()))
        session.run(
            {k: x for (k, _), x in zip(self._inputs, arrays, strict=True)},
            {k: y for (k, _), y in zip(self._outputs, outputs, strict=True)},
        )
        self._idle.give(session)
        return outputs

    def _workers(self) -> dict[str, Worker]:
        """A worker for each target."""
        targets = [model.manifest.target for model in self.models]
        return {
            target: backend_of(target).worker(
                [m for m, t in zip(self.models, targets, strict=True) if t == target]
            )
            for target in dict.fromkeys(targets)
        }

    def profile(self, inputs: Mapping[str, ArrayLike], rounds: int = 10) -> list[Timing]:
        """Time every kernel call in its region, as if that were a model of its own."""
        return [
            t._replace(call=t.call + first, symbol=self.manifest.calls[t.call + first].symbol)
            for first, model, given in self._regions_on(inputs)
            for t in model.profile(given, rounds)
        ]

    def values(self, inputs: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
        found = dict[str, np.ndarray]()
        for first, model, given in self._regions_on(inputs):
            values = model.values(given)
            for number, call in enumerate(model.manifest.calls):
                whole = first + number
                found[label(whole, self.manifest.calls[whole])] = values[label(number, call)]
        return found

    def _regions_on(
        self, inputs: Mapping[str, ArrayLike]
    ) -> Iterator[tuple[int, CompiledModel, dict[str, np.ndarray]]]:
        """Each region with the number of its first call, and its inputs in this call."""
        arrays = self._arrays(self._ordered(inputs))
        known = {k: x for (k, _), x in zip(self._inputs, arrays, strict=True)}
        firsts = list(accumulate((len(m.manifest.calls) for m in self.models), initial=0))
        for step in self.manifest.steps:
            if step.kind == "copy":
                known[step.arguments[1]] = known[step.arguments[0]]
            if step.kind == "run":
                model = self.models[step.region]
                names = [t.name for t in model.inputs]
                given = dict(zip(names, (known[k] for k in step.arguments), strict=False))
                yield firsts[step.region], model, given
                made = model.run(given)
                outputs = step.arguments[len(names) :]
                known |= {k: made[t.name] for k, t in zip(outputs, model.outputs, strict=True)}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a `.lam` file, for `load`."""
        weights = dict[str, np.ndarray]()
        for model in self.models:
            weights |= model.weights
        artifact.write(Path(path), Artifact(self.manifest, self.objects, weights))


def opened(found: Artifact, threads: int | None) -> SplitModel:
    """A model that was saved; `LaminaError` if this computer cannot run one of its regions."""
    models = list[CompiledModel]()
    for k, manifest in enumerate(found.manifest.regions):
        prefix = f"{k}{SEPARATOR}"
        own = {s.removeprefix(prefix): o for s, o in found.objects.items() if s.startswith(prefix)}
        fits = threads if threads and threads <= manifest.threads else None
        part = Artifact(manifest, own, found.weights)
        models.append(backend_of(manifest.target).load(part, fits))
    return SplitModel(found.manifest, models)
