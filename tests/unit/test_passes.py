"""What every pass owes its users: its name, what it does, its options, how exact it is."""

import dataclasses
import inspect

import pytest
from xdsl.passes import ModulePass

from lamina import passes
from lamina.tools.docs import field_docs

FOUND = passes.available()


@pytest.fixture(params=FOUND)
def found(request: pytest.FixtureRequest) -> type[ModulePass]:
    return FOUND[request.param]()


def test_passes_are_found() -> None:
    assert FOUND


@pytest.mark.parametrize("name", FOUND)
def test_pass_file_defines_the_pass_of_its_name(name: str) -> None:
    found = FOUND[name]()
    assert found.name == name
    assert found.__name__ == "".join(map(str.capitalize, name.split("-"))) + "Pass"


def test_pass_states_what_it_does(found: type[ModulePass]) -> None:
    generated = f"{found.__name__}("  # what a dataclass says without a docstring
    assert found.__doc__
    assert not found.__doc__.startswith(generated)


def test_module_states_what_it_is_about(found: type[ModulePass]) -> None:
    module = inspect.getmodule(found)
    assert module is not None
    assert module.__doc__


def test_every_option_has_a_docstring(found: type[ModulePass]) -> None:
    options = {field.name for field in dataclasses.fields(found)} - {"name"}
    missing = options - field_docs(found).keys()
    assert not missing, f"options without a docstring: {', '.join(sorted(missing))}"


def test_pass_declares_how_exact_it_is(found: type[ModulePass]) -> None:
    assert isinstance(getattr(found, "numerics", None), str)
