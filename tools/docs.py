"""
Write `docs/dialects.md` and `docs/passes.md` from the docstrings of ops, attributes and passes.

    python -m lamina.tools.docs           # write
    python -m lamina.tools.docs --check   # exit with status 1 if they are not what the code says
"""

import argparse
import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import OptionalDef, VariadicDef
from xdsl.passes import ModulePass

from lamina import passes
from lamina.passes.graph._layout_rules import rule_of
from lamina.universe import dialects

LEVELS = {
    "graph": "On graph",
    "te": "On te",
    "loop": "On loop",
    "vector": "On vec",
    "int8": "On int8",
    "check": "On any level",
}
"""folder of passes -> heading, in the order of the page"""
HEADER = "<!-- Written by `make docs` from the code. Change the docstrings, not this file. -->"


def paragraphs(documented: type) -> list[str]:
    """The paragraphs of a class's docstring."""
    text = inspect.cleandoc(documented.__doc__ or "")
    return [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]


def meaning(documented: type[Operation] | type[Attribute]) -> str:
    """What the docstring of an op or attribute says before its example."""
    return "\n\n".join(paragraphs(documented)[:-1])


def example(documented: type[Operation] | type[Attribute]) -> str:
    """The IR at the end of the docstring of an op or attribute."""
    return paragraphs(documented)[-1]


def markdown(text: str) -> str:
    """A paragraph of a docstring as Markdown: IR is code, and a power in a formula no emphasis."""
    if re.match(r"%\w|(te|loop|vec|int8|graph|func)\.\w", text):
        return f"```mlir\n{text}\n```"
    return text.replace("**", r"\*\*")


def field_docs(documented: type) -> dict[str, str]:
    """The string below each field of a dataclass, by the field's name; bases first."""
    found: dict[str, str] = {}
    for base in reversed(documented.__mro__):
        if base is object or base is ModulePass or not dataclasses.is_dataclass(base):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, below in zip(tree.body, tree.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str() as text)):
                    found[name] = " ".join(inspect.cleandoc(text).split())
                case _:
                    pass
    return found


def parts(op: type[Operation]) -> str:
    """One line that names an op's operands, properties, regions and results."""
    definition = op.get_irdl_definition()  # pyright: ignore[reportAttributeAccessIssue]
    properties = {**definition.properties, **definition.attributes}
    groups = {
        "operands": definition.operands,
        "properties": [p for p in sorted(properties.items()) if "SegmentSizes" not in p[0]],
        "regions": definition.regions,
        "results": definition.results,
    }
    return "; ".join(
        f"{kind} " + ", ".join(f"`{name}`{amount(what)}" for name, what in named)
        for kind, named in groups.items()
        if named
    )


def amount(definition: object) -> str:
    """How many values a part of an op may stand for, if not one."""
    if isinstance(definition, OptionalDef):
        return " (optional)"
    return " (any number)" if isinstance(definition, VariadicDef) else ""


def dialect_pages(dialect: Dialect) -> Iterator[str]:
    """A section on a dialect, its ops and its attributes."""
    operations = sorted(dialect.operations, key=lambda op: op.name)
    module = sys.modules[".".join(operations[0].__module__.split(".")[:3])]
    yield f"## {dialect.name}"
    yield markdown(inspect.cleandoc(module.__doc__ or ""))
    for documented in (*operations, *sorted(dialect.attributes, key=lambda a: a.name)):
        is_op = issubclass(documented, Operation)
        yield f"### `{documented.name}`" + ("" if is_op else " (attribute)")
        yield markdown(meaning(documented))
        yield f"```mlir\n{example(documented)}\n```"
        if is_op and (line := parts(documented)):
            yield f"{line[0].upper()}{line[1:]}."
        if is_op and (rule := rule_of(documented)):
            yield f"Layouts: {rule.text}"


def dialects_page() -> str:
    """The whole of `docs/dialects.md`."""
    blocks = [HEADER, "# Dialects", "One section a dialect, from the highest level to the lowest."]
    for load in dialects().values():
        blocks += dialect_pages(load())
    return "\n\n".join(blocks) + "\n"


def options_of(documented: type[ModulePass]) -> Iterator[str]:
    """The table of a pass's options."""
    docs = field_docs(documented)
    fields = [field for field in dataclasses.fields(documented) if field.name != "name"]
    if fields:
        yield "| option | type | default | meaning |\n| --- | --- | --- | --- |"
    for field in fields:
        required = field.default is field.default_factory is dataclasses.MISSING
        default = "required" if required else f"`{default_of(field)}`"
        kind = field.type if isinstance(field.type, str) else field.type.__name__
        name, kind = field.name.replace("_", "-"), kind.replace("|", "\\|")
        yield f"| `{name}` | `{kind}` | {default} | {markdown(docs.get(field.name, ''))} |"


def default_of(field: dataclasses.Field[object]) -> object:
    """The value of an option that is not given."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def pass_section(documented: type[ModulePass]) -> Iterator[str]:
    """A section on one pass."""
    yield f"### `{documented.name}`"
    yield from map(markdown, paragraphs(documented))
    yield f"Results: {getattr(documented, 'numerics', 'not declared')}."
    if table := "\n".join(options_of(documented)):
        yield table


def passes_page() -> str:
    """The whole of `docs/passes.md`."""
    blocks = [HEADER, "# Passes", "One section a level, passes by name."]
    by_level: dict[str, list[type[ModulePass]]] = {}
    for load in passes.available().values():
        found = load()
        by_level.setdefault(found.__module__.split(".")[2], []).append(found)
    for level, title in LEVELS.items():
        found = by_level.pop(level, [])
        blocks += [f"## {title}"] if found else []
        blocks += [block for each in found for block in pass_section(each)]
    assert not by_level, f"LEVELS lacks {', '.join(by_level)}"
    return "\n\n".join(blocks) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages, or compare them with what is there."""
    parser = argparse.ArgumentParser("python -m lamina.tools.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--folder", type=Path, default=Path("docs"))
    chosen = parser.parse_args(argv)
    stale: list[Path] = []
    for name, page in {"dialects.md": dialects_page(), "passes.md": passes_page()}.items():
        path: Path = chosen.folder / name
        if path.exists() and path.read_text() == page:
            continue
        stale.append(path)
        if not chosen.check:
            path.write_text(page)
    if stale and chosen.check:
        print(f"{', '.join(map(str, stale))}: not what the code says; run `make docs`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
