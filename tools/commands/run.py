"""`lamina run`: one inference, and what came out."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from lamina.tools import _files
from lamina.tools._arrays import load_npz, random_inputs, save_npz
from lamina.tools._models import compiler_options, open_model

TOP = 5


def run(args: Namespace) -> None:
    """Run a model on the arrays of a file, or on random ones."""
    _files.require_readable(args.model)
    if args.output:
        _files.require_different(args.output, args.model)
        _files.require_writable(args.output)
    given = load_npz(args.input) if args.input else None
    model = open_model(args.model, compiler_options(args))
    if given is None:
        print(f"inputs: random, seed {args.seed} (--input NPZ gives others)")
        given = random_inputs(model.inputs, args.seed)
    outputs = model.run(given)
    for name, array in outputs.items():
        print(_summary(name, array))
    if args.output:
        with _files.whole(args.output) as file:
            save_npz(file, outputs)


def _summary(name: str, array: np.ndarray) -> str:
    """Shape and range of an output; of a matrix also the largest of each of the first rows."""
    shape = "x".join(map(str, array.shape)) or "scalar"
    text = f"{name}: {shape} {array.dtype}"
    if array.size:
        text += f", {array.min():.6g} .. {array.max():.6g}"
    if array.ndim == 2:
        for row, values in enumerate(array[:4]):
            best = np.argsort(-values.astype(np.float64), kind="stable")[:TOP]
            top = ", ".join(f"[{i}] {values[i]:.6g}" for i in best)
            text += f"\n  row {row}, top {len(best)}: {top}"
    return text
