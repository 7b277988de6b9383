"""From the text of a pipeline to passes; every mistake in it is one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline

from lamina.errors import LaminaError

Passes = Mapping[str, Callable[[], type[ModulePass]]]


def parse_passes(available: Passes, text: str) -> tuple[ModulePass, ...]:
    """The passes of a pipeline such as `te-split{axis=ow by=6},te-to-loops`."""
    specs = list(parse_pipeline(text))
    for spec in specs:
        if spec.name not in available:
            raise LaminaError(f"no pass '{spec.name}'{neighbours(spec.name, available)}")
    return tuple(_instance(available[spec.name](), spec) for spec in specs)


def neighbours(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...` if something in `known` is like `name`, else what is in it, if short."""
    known = list(known)
    if close := get_close_matches(name, known, 3, 0.5):
        return f"; did you mean {' or '.join(close)}?"
    return f"; there is {', '.join(known)}" if 0 < len(known) < 10 else ""


def _instance(cls: type[ModulePass], spec: ArgSpec) -> ModulePass:
    options = [f.name.replace("_", "-") for f in dataclasses.fields(cls) if f.name != "name"]
    for name in spec.parameters:
        if (dashed := name.replace("_", "-")) not in options:
            has = neighbours(dashed, options) if options else "; it has none"
            raise LaminaError(f"{cls.name} has no option '{dashed}'{has}")
    for name in cls.required_fields():
        if name not in spec.normalize_parameter_names().parameters:
            raise LaminaError(f"{cls.name} needs option '{name.replace('_', '-')}'")
    try:
        return cls.from_spec(spec)
    except ValueError as e:  # the type of a value; or the pass's own __post_init__
        raise LaminaError(f"{spec}: {e}") from e
