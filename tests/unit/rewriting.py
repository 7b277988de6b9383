"""Run passes on text, as the tests of passes do."""

from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.passes import PassPipeline

from lamina import passes
from lamina.context import new_context


def parse(text: str) -> ModuleOp:
    """The module that `text` is, verified."""
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def rewrite(text: str, pipeline: str) -> ModuleOp:
    """The module after the passes of `pipeline`, verified, uses before definitions included."""
    module = parse(text)
    PassPipeline.parse_spec(passes.available(), f"{pipeline},verify-dominance").apply(
        new_context(), module
    )
    module.verify()
    return module
