"""The generated documentation is current, and the IR in it is IR."""

from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.ir import Attribute, Operation, ParametrizedAttribute
from xdsl.parser import Parser

from lamina.tools import docs
from lamina.universe import dialects

DOCS = Path(__file__).parents[2] / "docs"
DIALECTS = [load() for load in dialects().values()]
OPS = [op for dialect in DIALECTS for op in dialect.operations]
ATTRIBUTES = [attribute for dialect in DIALECTS for attribute in dialect.attributes]


@pytest.fixture
def context() -> Context:
    found = Context()
    for name, load in (get_all_dialects() | dialects()).items():
        found.register_dialect(name, load)
    return found


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_op_states_its_meaning_and_an_example_that_parses(
    op: type[Operation], context: Context
) -> None:
    assert docs.meaning(op), f"{op.name} says nothing before its example"
    parser = Parser(context, docs.example(op))
    found: list[Operation] = []
    while (parsed := parser.parse_optional_operation()) is not None:
        parsed.verify(verify_nested_ops=False)
        found.append(parsed)
    assert [type(parsed) for parsed in found] == [op] * len(found) != []


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_attribute_states_its_meaning_and_an_example_that_parses(
    attribute: type[Attribute], context: Context
) -> None:
    assert docs.meaning(attribute), f"{attribute.name} says nothing before its example"
    parsed = Parser(context, docs.example(attribute)).parse_attribute()
    inside = parsed.parameters if isinstance(parsed, ParametrizedAttribute) else ()
    assert any(isinstance(found, attribute) for found in (parsed, *inside))


def test_pages_are_current() -> None:
    assert docs.main(["--check", "--folder", str(DOCS)]) == 0, "run `make docs`"


def test_stale_page_is_noticed(tmp_path: Path) -> None:
    docs.main(["--folder", str(tmp_path)])
    assert docs.main(["--check", "--folder", str(tmp_path)]) == 0
    page = tmp_path / "passes.md"
    page.write_text(page.read_text() + "one more line\n")
    assert docs.main(["--check", "--folder", str(tmp_path)]) == 1
