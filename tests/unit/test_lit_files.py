"""A lit test that reads no file or checks no output passes whatever the compiler does."""

import re
from pathlib import Path

import pytest
from xdsl.ir import Dialect

from lamina.universe import dialects

LIT = Path(__file__).parents[1] / "lit"
PASSES = Path(__file__).parents[2] / "passes"
FILES = sorted(path for path in LIT.rglob("*.mlir") if "inputs" not in path.parts)
SUFFIX = r"(-(LABEL|NEXT|SAME|NOT|DAG|EMPTY|COUNT-\d+))?(\{LITERAL\})?:"
LEVELS = {
    "graph": "",
    "te": "te-",
    "loop": "loop-",
    "vector": "vec-",
    "int8": "int8-",
    "check": "",
}
"""the folders of passes, each with what the names of its passes begin with"""


def run_lines(text: str) -> list[str]:
    """The commands of a file; one that ends in a backslash goes on in the next RUN line."""
    joined = re.sub(r"\\\n\s*//\s*RUN:", " ", text)
    return [line.strip() for line in re.findall(r"//\s*RUN:(.*)", joined)]


def prefixes(text: str) -> set[str]:
    """The words that filecheck looks for in a file."""
    named = re.findall(r"--?check-prefix(?:es)?[= ](\S+)", "\n".join(run_lines(text)))
    words = {word for names in named for word in names.split(",")}
    plain = any("check-prefix" not in run for run in run_lines(text) if "filecheck" in run)
    return words | {"CHECK"} if plain else words


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(LIT)))
def text(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text()


def test_every_run_line_reads_and_checks(text: str) -> None:
    runs = run_lines(text)
    assert runs, "no RUN line"
    for position, run in enumerate(runs):
        command, _, check = run.rpartition("| ")
        if check.startswith("filecheck %s"):
            assert "%s" in command or "%t" in command or "%S" in command, (
                f"RUN line does not read this file: {run}"
            )
        elif not run.startswith("filecheck %s"):
            made = re.findall(r"%t[\w.]*", run)
            later = " ".join(runs[position + 1 :])
            assert any(name in later for name in made), f"RUN line checks nothing: {run}"


def test_every_case_has_a_line_that_must_be_found(text: str) -> None:
    words = "|".join(map(re.escape, prefixes(text)))
    positive = re.compile(rf"//\s*({words}){SUFFIX.replace('NOT|', '')}")
    split = any("--split-input-file" in run for run in run_lines(text))
    for number, case in enumerate(text.split("// -----") if split else [text]):
        assert positive.search(case), f"case {number} has no line that filecheck must find"


def test_every_prefix_has_a_line(text: str) -> None:
    for word in prefixes(text):
        assert re.search(rf"//\s*{re.escape(word)}{SUFFIX}", text), f"no line begins {word}:"


def test_no_check_is_misspelt(text: str) -> None:
    words = "|".join(map(re.escape, prefixes(text)))
    known = re.compile(rf"//\s*(RUN:|({words}){SUFFIX})")
    for line in re.findall(r"//\s*[A-Z][A-Z0-9_-]*(?:-\w+)*\s*:.*", text):
        assert known.match(line), f"filecheck skips this line in silence: {line}"


def test_nothing_is_skipped_or_expected_to_fail(text: str) -> None:
    assert "expected-error" not in text, "xDSL ignores expected-error: use CHECK"
    assert not re.search(r"\b(XFAIL|REQUIRES|UNSUPPORTED|ALLOW_RETRIES):", text)


def test_lit_files_are_found() -> None:
    assert FILES


def test_every_pass_has_a_lit_test_of_its_name() -> None:
    """Both folders mirror each other, level by level; neither side may be empty."""
    files = {
        str(path.relative_to(PASSES).with_suffix("")).replace("_", "-")
        for level in LEVELS
        for path in (PASSES / level).rglob("*.py")
        if not path.name.startswith("_")
    }
    lit = LIT / "passes"
    tests = {str(path.relative_to(lit).with_suffix("")) for path in lit.rglob("*.mlir")}
    assert files
    assert files == tests
    assert {path.name for path in PASSES.iterdir() if path.is_dir()} - {"__pycache__"} == {*LEVELS}


@pytest.mark.parametrize("level", LEVELS)
def test_pass_names_say_their_level(level: str) -> None:
    for path in (PASSES / level).glob("[!_]*.py"):
        name = path.stem.replace("_", "-")
        assert name.startswith(LEVELS[level]), f"{name} works on {level}"


def folder_of(dialect: Dialect) -> Path:
    """The lit tests of a dialect lie in a folder of its name."""
    return LIT / "dialects" / dialect.name


@pytest.fixture(params=dialects())
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return dialects()[request.param]()


def test_every_op_makes_the_round_trip(dialect: Dialect) -> None:
    text = (folder_of(dialect) / "ops.mlir").read_text()
    assert any(
        re.search(r"lamina-opt %s --print-op-generic \| lamina-opt .*\| filecheck %s", run)
        for run in run_lines(text)
    ), "no RUN line reads what it printed in generic form"
    code = re.sub(r"//.*", "", text)
    missing = [
        op.name
        for op in dialect.operations
        if not re.search(rf"\b{re.escape(op.name)}(?![\w.])", code)
    ]
    assert not missing, f"ops.mlir of {dialect.name} lacks {', '.join(missing)}"


def test_every_dialect_says_what_is_invalid(dialect: Dialect) -> None:
    text = (folder_of(dialect) / "invalid.mlir").read_text()
    assert "--verify-diagnostics" in text
    assert "--parsing-diagnostics" in text or "--split-input-file" in text
