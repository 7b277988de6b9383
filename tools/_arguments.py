"""
Arguments that several commands have, and what is written after them.

As in `lamina.py`, nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import re

from lamina.tools._program import OneEach


def add_compiler_options(p: argparse.ArgumentParser) -> None:
    """What to compile for, and how many threads run it."""
    p.add_argument(
        "--threads",
        metavar="N",
        type=positive,
        help="(default: one for each core that this process may use)",
    )
    add_target_options(p)


def add_target_options(p: argparse.ArgumentParser) -> None:
    """What to compile for: one target, or several of which each does a part."""
    add_model_options(p, many=True)
    p.add_argument(
        "--place",
        metavar="WHAT:DEVICE",
        action="append",
        default=[],
        help="where the targets are a list: compute a kind of operations (graph.softmax:cpu), or "
        "those whose names in the model fit a pattern ('layer1*:opencl'), on one of them; may be "
        "repeated, the last one that fits holds",
    )
    p.add_argument(
        "--layouts",
        metavar="WAY",
        default="exact",
        help="how it is chosen how tensors are stored: exact, heuristic or greedy; local (for each "
        "convolution alone), blocked (and all transforms stay); nhwc, nchw (default: exact)",
    )
    p.add_argument("--no-cache", action="store_true", help="compile anew and keep nothing")
    p.add_argument("--no-records", action="store_true", help="without what lamina tune measured")


def add_model_options(p: argparse.ArgumentParser, *, many: bool = False) -> None:
    """How a model is compiled; with `many`, the target may be a list."""
    examples = "cpu, cpu:haswell, opencl:intel-gen9, ..." if many else "cpu, cpu:haswell, ..."
    lists = "; opencl:intel-gen9,cpu may use both" if many else ""
    p.add_argument("--target", default="cpu", help=f"{examples} (default: cpu, this one){lists}")
    p.add_argument(
        "--numerics",
        choices=("fast", "strict"),
        default="fast",
        help="fast: sums of other products where these are fewer; strict: as the model says "
        "(default: fast)",
    )
    p.add_argument(
        "--requantize",
        choices=("float", "fixed"),
        default="float",
        help="how sums of integers become 8 bits in a quantized network: scaled in float, as ONNX "
        "says, or in fixed point, by a multiplier and a shift (default: float)",
    )
    add_storage(p)
    add_shape(p)


def add_storage(p: argparse.ArgumentParser) -> None:
    """What floats are in memory."""
    p.add_argument(
        "--storage",
        choices=("f32", "f16"),
        default="f32",
        help="as what floats lie in memory between kernels, which compute in f32 (default: f32)",
    )


def add_shape(p: argparse.ArgumentParser) -> None:
    """The shapes that a file leaves open."""
    p.add_argument(
        "--shape",
        metavar="NAME=1x3x224x224",
        type=_shape,
        action=OneEach,
        default=[],
        help="the shape of an input, where the file leaves it open; may be repeated",
    )


def names(text: str) -> list[str]:
    """a,b -> [a, b]"""
    return [name for name in text.split(",") if name]


def count(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"\d+", text):
        raise argparse.ArgumentTypeError(f"needs a whole number, found '{text}'")
    return int(text)


def positive(text: str) -> int:
    """A whole number above 0."""
    if (number := count(text)) == 0:
        raise argparse.ArgumentTypeError("needs a number above 0, found '0'")
    return number


def numbers(text: str) -> list[int]:
    """1,2 -> [1, 2], each above 0."""
    return [positive(number) for number in text.split(",")]


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = text.rpartition("=")
    if not name or not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", sizes):
        raise argparse.ArgumentTypeError(f"needs NAME=1x3x224x224, found '{text}'")
    return name, tuple(map(int, sizes.split("x")))
