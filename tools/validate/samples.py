"""Random inputs that find different mistakes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from xdsl.dialects import func

from lamina.interpreters.arrays import dtype_of, shape_of, unwritten
from lamina.tools.validate.bounds import bounded
from lamina.tools.validate.signature import Functions, Signature, is_read, is_slot, promised

FLOATS = ("normal", "negative", "constant", "inf and nan")
INTEGERS = ("normal", "negative", "constant", "extremes")


def kinds(signature: Signature, finite: bool = False) -> list[str]:
    """
    The kinds of samples that say something about a function, the most telling first; only those of
    `finite` numbers where nothing is promised of others.
    """
    dtypes = {dtype_of(type).kind for type in (*signature.slots, *signature.results)}
    floats = FLOATS if "f" in dtypes else ()
    integers = INTEGERS if dtypes & set("iu") else ()
    found = dict.fromkeys([*floats, *integers])
    return [kind for kind in found if not (finite and kind == "inf and nan")] or ["normal"]


def sample(
    f: func.FuncOp, signature: Signature, kind: str, seed: int, functions: Functions
) -> list[np.ndarray]:
    """
    Arrays for the slots of `f`; a buffer that is only written is full of NaN, and integers that say
    where to read keep what is promised about them, bytes what sums of their products rely on.
    """
    name = zlib.crc32(f.sym_name.data.encode())
    rng = np.random.default_rng([seed, name, zlib.crc32(kind.encode())])
    arguments = [a for a, r in zip(f.body.block.args, signature.roles, strict=True) if is_slot(r)]
    read = [signature.on_tensors or is_read(a, functions) for a in arguments]
    arrays: list[np.ndarray] = []
    for a, type, wanted in zip(arguments, signature.slots, read, strict=True):
        special = kind == "inf and nan" and not any(a.dtype.kind == "f" for a in arrays)
        dtype, shape = dtype_of(type), shape_of(type)
        plain = "normal" if kind == "inf and nan" and not special else kind
        x = array(rng, dtype, shape, plain) if wanted else unwritten(type)
        extent = promised(a, functions) if wanted else None
        most = bounded(a, functions) if dtype == np.int8 else None
        x = x if most is None else np.clip(x, -most, most)
        arrays.append(x % dtype.type(extent) if extent else x)
    return arrays


def array(rng: np.random.Generator, dtype: np.dtype, shape: Sequence[int], kind: str) -> np.ndarray:
    """One input. A kind for other types of numbers than these gives normal ones."""
    match dtype.kind:
        case "b":
            return rng.integers(0, 2, shape).astype(bool)
        case "f":
            return _floats(rng, shape, kind).astype(dtype)
    info = np.iinfo(dtype)
    low, high = max(info.min, -1000), min(info.max, 1000)
    match kind:
        case "negative" if info.min < 0:
            return rng.integers(low, 0, shape).astype(dtype)
        case "constant":
            return np.full(shape, rng.integers(low, high + 1)).astype(dtype)
        case "extremes":
            return rng.choice(np.array([info.min, -1 if low else 1, 0, 1, info.max]), shape).astype(
                dtype
            )
    return rng.integers(low, high + 1, shape).astype(dtype)


def _floats(rng: np.random.Generator, shape: Sequence[int], kind: str) -> np.ndarray:
    x = rng.standard_normal(shape)
    match kind:
        case "negative":
            return -np.abs(x) - 0.01
        case "constant":
            return np.full(shape, rng.uniform(0.25, 2.0))
        case "inf and nan":
            # few, so that they can be seen to stay where they belong
            number = max(1, x.size // 200)
            places = rng.choice(x.size, min(3 * number, x.size), replace=False)
            x.reshape(-1)[places] = np.resize([np.nan, np.inf, -np.inf], len(places))
    return x
