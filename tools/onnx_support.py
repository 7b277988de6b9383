"""
Write `docs/onnx.md`: which operators of ONNX are supported, by the tests of the `onnx` package.

    python -m lamina.tools.onnx_support           # write
    python -m lamina.tools.onnx_support --check   # status 1 if fewer tests pass than the page says

The tests are those of single operators and the networks that PyTorch exported, on elements of the
types that are supported: float32, truth values and integers.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

from lamina.errors import LaminaError
from lamina.frontends.onnx.elements import attribute_of
from lamina.frontends.onnx.importer import OPERATORS
from lamina.frontends.onnx.known import EVALUATIONS
from lamina.frontends.onnx.model import CONVERTED, OLDEST
from lamina.onnx_backend import LaminaBackend

FOLDERS = ("pytorch-operator", "pytorch-converted")
"""of whole models in the `onnx` package"""


@dataclass(frozen=True)
class Outcome:
    """What became of one test."""

    name: str
    group: str
    """the operator it tests, or the folder it is in"""
    verdict: str
    """`passed`, `refused` or `wrong`"""
    reason: str = ""


def cases() -> Iterator[tuple[str, TestCase]]:
    """The tests on elements of types that are supported, each with its group."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some tests divide by zero, on purpose
        found = collect_testcases(None)
    named = {case.name: case for case in found}
    for case in found:
        if case.model is not None and _has_supported_types(case.model):
            origin = named.get(re.sub(r"_expanded.*", "", case.name), case)
            assert origin.model is not None
            yield origin.model.graph.node[-1].op_type, case
    for folder in FOLDERS:
        for case in load_model_tests(kind=folder):
            if _has_supported_types(_model(case)):
                yield folder, case


def outcomes() -> Iterator[Outcome]:
    """What becomes of each test."""
    for group, case in cases():
        found, reason = verdict(case)
        yield Outcome(case.name, group, found, reason)


def _model(case: TestCase) -> ModelProto:
    return case.model or onnx.load(Path(case.model_dir or "") / "model.onnx")


def _has_supported_types(model: ModelProto) -> bool:
    """Whether a model takes and gives float32, truth values and integers."""
    return all(
        attribute_of(v.type.tensor_type.elem_type) is not None
        for v in (*model.graph.input, *model.graph.output)
    )


def verdict(case: TestCase) -> tuple[str, str]:
    """
    Whether a test passes, is refused with a reason, or goes wrong in some way.

    Any exception but LaminaError is a fault of ours, and must not hide what the other tests do.
    """
    try:
        model = _model(case)
        prepared = LaminaBackend.prepare(model)
        for inputs, wanted in case.data_sets or _stored(Path(case.model_dir or ""), model):
            with np.errstate(all="ignore"):
                _compare(prepared.run(inputs), wanted, case.rtol, case.atol)
    except LaminaError as e:
        return "refused", str(e)
    except Exception as e:
        return "wrong", f"{type(e).__name__}: {' '.join(str(e).split())}"
    return "passed", ""


def _compare(
    found: Sequence[np.ndarray], wanted: Sequence[np.ndarray], rtol: float, atol: float
) -> None:
    for a, b in zip(found, map(_array, wanted), strict=True):
        if a.shape != b.shape:
            raise ValueError(f"shape {a.shape}, wanted {b.shape}")
        if a.dtype != b.dtype:
            raise ValueError(f"elements of type {a.dtype}, wanted {b.dtype}")
        np.testing.assert_allclose(a, b, rtol, atol)


def _array(x: object) -> np.ndarray:
    """What a test gives or wants, which may be as in a model."""
    return numpy_helper.to_array(x) if isinstance(x, TensorProto) else np.asarray(x)


def _stored(folder: Path, model: ModelProto) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
    """The inputs and outputs that lie beside a model."""
    for data in sorted(folder.glob("test_data_set_*")):
        yield _arrays(data, "input"), _arrays(data, "output")


def _arrays(folder: Path, role: str) -> list[np.ndarray]:
    paths = sorted(folder.glob(f"{role}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))
    tensors = [TensorProto.FromString(path.read_bytes()) for path in paths]
    return [numpy_helper.to_array(t) for t in tensors]


# -- the page


HEADER = (
    "<!-- Written by `python -m lamina.tools.onnx_support`. Change the code, not this file. -->"
)


def counted(found: Sequence[Outcome]) -> dict[str, Counter[str]]:
    """How many tests of each group have each verdict."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outcome in found:
        counts[outcome.group][outcome.verdict] += 1
    return dict(counts)


def page(found: Sequence[Outcome]) -> str:
    """The whole of `docs/onnx.md`."""
    counts = counted(found)
    total = Counter(o.verdict for o in found)
    supported = sorted(OPERATORS)
    unknown = sorted(set(counts) - set(supported) - set(FOLDERS))
    newest = onnx.defs.onnx_opset_version()
    known = ", ".join(f"`{op}`" for op in sorted(set(EVALUATIONS) - set(supported)))
    blocks = [
        HEADER,
        "# ONNX",
        f"Models of opsets {OLDEST} to {newest}, and those from {CONVERTED} on that ONNX can "
        f"convert to {OLDEST}; on float32, truth values and integers, where an operator is defined "
        "on them here; with shapes that are known when compiling: open dimensions of inputs are "
        "set with `--shape`. Arithmetic on shapes, and on what else is known when compiling, is "
        f"done while the model is read. Only so are supported: {known or 'none'}.",
        f"Of {len(found)} tests of `onnx` {onnx.__version__} on such elements, {total['passed']} "
        f"pass and {total['refused']} are refused with an error that says why; a wrong answer or "
        "another error fails our tests. A test that gives axes, shapes or scales as inputs is "
        "compiled for those values. The tests of an operator include those of the same operator "
        "spelled out in others.",
        "## Operators",
        _table(supported, counts, found),
        "## Networks that PyTorch exported",
        _table(FOLDERS, counts, found),
        "## Operators that are not supported",
        "Some tests of an operator that is not supported itself pass when it is spelled out.",
        _table(unknown, counts, found),
    ]
    return "\n\n".join(blocks) + "\n"


def _table(
    groups: Sequence[str], counts: Mapping[str, Counter[str]], found: Sequence[Outcome]
) -> str:
    lines = ["| | passed | refused | what it does, and what is refused |"]
    lines.append("| --- | ---: | ---: | --- |")
    for group in groups:
        passed, refused = (counts.get(group, Counter())[v] for v in ("passed", "refused"))
        reasons = Counter(_reason(o) for o in found if o.group == group and o.reason)
        listed = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        why = "; ".join(
            f"{reason} ({n})" if len(listed) > 1 else reason
            for reason, n in listed
            if reason != group
        )
        notes = [_cell(_meaning(group)), f"refused: {why}" if why else ""]
        lines.append(f"| {group} | {passed} | {refused} | {' '.join(filter(None, notes))} |")
    return "\n".join(lines)


def _meaning(operator: str) -> str:
    """What the function that imports an operator says of it."""
    function = OPERATORS.get(operator)
    text = inspect.getdoc(function) if inspect.isfunction(function) else None
    text = " ".join((text or "").split("\n\n")[0].split())
    return text if not text or text.endswith(".") else f"{text}."


def _reason(outcome: Outcome) -> str:
    """Why a test is refused, without names of nodes and sizes."""
    text = re.sub(r" \(nodes? [^)]*\)", "", outcome.reason)
    text = re.sub(r"^model: (not supported: )?", "", text)
    text = re.sub(r"; set its shape, as in .*", "", text)
    text = re.sub(r"[\[(]-?\d[^\])]*[\])]", "[..]", text)
    text = re.sub(r"'[^']*'", "'..'", text)
    text = re.sub(r"%\w+|(\?|\d+)x[\dx?]*\w*", "..", text)
    return _cell(text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " ...")


def _cell(text: str) -> str:
    """Text in a table of Markdown."""
    return re.sub(r"([|<*_\[\]])", r"\\\1", text)


def documented(text: str) -> dict[str, int]:
    """How many tests of each group pass, by the page."""
    rows = re.findall(r"^\| ([\w-]+) \| (\d+) \| \d+ \|", text, re.MULTILINE)
    return {group: int(passed) for group, passed in rows}


def complaints(found: Sequence[Outcome], text: str) -> list[str]:
    """What is wrong with tests, and which groups pass fewer than the page says."""
    counts = counted(found)
    wrong = [f"{o.name}: {o.reason}" for o in found if o.verdict == "wrong"]
    return wrong + [
        f"{group}: {passed} tests pass by docs/onnx.md, {counts[group]['passed']} do"
        for group, passed in documented(text).items()
        if passed > (counts[group]["passed"] if group in counts else 0)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the page; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m lamina.tools.onnx_support")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--page", type=Path, default=Path("docs/onnx.md"), metavar="PATH")
    args = parser.parse_args(argv)
    found = list(outcomes())
    text = args.page.read_text() if args.check else page(found)
    for complaint in (problems := complaints(found, text)):
        print(complaint, file=sys.stderr)
    if not args.check:
        args.page.write_text(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
