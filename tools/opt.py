"""Parse IR, run passes on it, print it: all of `xdsl-opt`, and what working on passes needs."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import PassPipeline
from xdsl.utils.arg_spec import parse_spec
from xdsl.utils.diagnostic import Diagnostic
from xdsl.utils.exceptions import (
    DiagnosticException,
    ParseError,
    ShrinkException,
    VerifyException,
)
from xdsl.xdsl_opt_main import xDSLOptMain

from lamina.context import LaminaContext
from lamina.errors import LaminaError
from lamina.ir_file import IrParser
from lamina.tools._explain import crashed, explain, require_valid
from lamina.tools._files import require_readable, require_writable, whole
from lamina.tools._load import load
from lamina.tools._pipeline import neighbours, parse_passes
from lamina.tools._program import Parser
from lamina.tools._reproducer import Reproducer, save_weights, weights_file
from lamina.tools._stages import PrintAfter, PrintBetween, Timer, Watcher, run_passes

if TYPE_CHECKING:
    from lamina.tools.validate import Validation

VALIDATE = (
    "run every function on random inputs before and after every pass, and compare what it computes "
    "(--validate=SEED; --validate alone is seed 0)"
)
BUDGET = (
    "how long the reference interpreter may take for one pass; what would take longer is compiled "
    "and run natively (default: 10)"
)


class LaminaOpt(xDSLOptMain):
    """xdsl-opt with our dialects, passes and targets, and our options."""

    version_format: ClassVar[str] = "lamina-opt built from xdsl version {xdsl_version}"
    ctx: LaminaContext

    def __init__(self, argv: Sequence[str] | None = None):
        self.available_frontends, self.available_passes, self.available_targets = {}, {}, {}
        self.ctx = LaminaContext()
        self.implementations: dict[Any, Any] = {}
        self.validation: Validation | None = None
        self.parser: IrParser | None = None
        self.first_line = 0
        """of the chunk that is read, in its file"""
        self.register_all_dialects()
        self.register_all_frontends()
        self.register_all_passes()
        self.register_all_targets()
        parser = Parser(prog="lamina-opt", description="Run passes on textual IR.")
        self.register_all_arguments(parser)
        arguments = sys.argv[1:] if argv is None else argv
        # the seed is optional, but must not swallow the name of the file behind it
        given = ["--validate=0" if a == "--validate" else a for a in arguments]
        self.args = parser.parse_args(given)
        self.apply_arguments()
        self.watchers = self.make_watchers()

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        """xdsl-opt's arguments and ours."""
        super().register_all_arguments(arg_parser)
        add = arg_parser.add_argument_group("lamina").add_argument
        many: Any = {"action": "append", "default": []}
        flag: Any = {"action": "store_true"}
        add("--validate", metavar="SEED", type=int, help=VALIDATE)
        add("--validate-budget", metavar="SECONDS", type=float, default=10.0, help=BUDGET)
        add("--print-ir-after", metavar="PASS", **many, help="print the module after this pass")
        add("--print-ir-after-change", **flag, help="... after every pass that changes it")
        add(
            "--reproducer", metavar="F.mlir", help="where to write what a pass that fails was given"
        )
        add("--load", metavar="F.py", **many, help="add the passes and dialects of a Python file")
        add("--weights", metavar="F.safetensors", help="default: beside the .mlir file")
        add("--traceback", **flag, help="show where in the code an error arose")

    def apply_arguments(self) -> None:
        """Everything the arguments say before there is a module."""
        for path in self.args.load:
            self.add_loaded(path)
        target = parse_spec(self.args.target).name
        if target not in self.available_targets:
            raise LaminaError(f"no target '{target}'{neighbours(target, self.available_targets)}")
        self.ctx.allow_unregistered = self.args.allow_unregistered_dialect
        if self.args.disable_verify:
            Attribute.__post_init__ = lambda self: None
        if self.args.syntax_highlight:
            Diagnostic.colored = True
        self.pipeline = PassPipeline(parse_passes(self.available_passes, self.args.passes))
        if self.args.input_file is not None:
            self.check_input(Path(self.args.input_file))
        for path in (self.args.output_file, self.args.reproducer):
            if path is not None:
                require_writable(path)
        self.load_weights()

    def check_input(self, path: Path) -> None:
        """Fail if there is no such file, or nothing reads its kind."""
        require_readable(path)
        kind = path.suffix.removeprefix(".")
        if self.args.frontend is None and kind not in self.available_frontends:
            known = " or ".join(f".{name}" for name in self.available_frontends)
            raise LaminaError(f"cannot read '{path}': needs a {known} file, or -f mlir")

    def add_loaded(self, path: str) -> None:
        """Register what the Python file at `path` defines."""
        found = load(path)
        for name, cls in found.passes.items():
            self.refuse_duplicate(path, "pass", name, self.available_passes)
            self.register_pass(name, lambda cls=cls: cls)
        for name, target in found.targets.items():
            self.refuse_duplicate(path, "target", name, self.available_targets)
            self.available_targets[name] = lambda target=target: target
        for name, dialect in found.dialects.items():
            self.refuse_duplicate(path, "dialect", name, self.ctx.registered_dialect_names)
            self.ctx.register_dialect(name, lambda dialect=dialect: dialect)
        self.implementations.update(found.implementations)

    def refuse_duplicate(self, path: str, kind: str, name: str, known: Iterable[str]) -> None:
        """Fail if `name` is taken."""
        if name in known:
            raise LaminaError(f"{path} defines {kind} '{name}', which exists: give it another name")

    def register_all_frontends(self) -> None:
        """MLIR, and ONNX by the extension of the file."""

        def parse_mlir(file: IO[bytes]) -> ModuleOp:
            text = file.read().decode()
            self.parser = IrParser(self.ctx, text, self.get_input_name(), self.first_line)
            try:
                return self.parser.parse_module(not self.args.no_implicit_module)
            except VerifyException as e:  # an attribute that is wrong in itself
                raise VerifyException(f"{self.parser.here()}: {e}") from e

        def parse_onnx(file: IO[bytes]) -> ModuleOp:
            from lamina.frontends.onnx import import_model  # only when it is needed: takes 0.2 s

            return import_model(self.args.input_file, self.ctx.weights)

        self.available_frontends |= {"mlir": parse_mlir, "onnx": parse_onnx}

    def load_weights(self) -> None:
        """Load the weights that were named, or those beside the input."""
        if self.args.weights is not None:
            self.ctx.weights.load(self.args.weights)
        elif self.args.input_file is not None:
            if (path := weights_file(Path(self.args.input_file))).is_file():
                self.ctx.weights.load(path)

    def make_watchers(self) -> list[Watcher]:
        """What watches the passes, in the order in which it is told about them."""
        args, watchers = self.args, list[Watcher]()
        if args.print_ir_after or args.print_ir_after_change:
            printing = PrintAfter(args.print_ir_after, args.print_ir_after_change)
            printing.check(self.pipeline.passes)
            watchers.append(printing)
        if args.print_between_passes:
            watchers.append(PrintBetween(self.pipeline.passes))
        if args.validate is not None:
            from lamina.tools.validate import Validation  # needs NumPy, which takes 0.15 s

            self.validation = Validation(
                self.ctx,
                args.validate,
                args.validate_budget,
                self.make_reproducer,
                self.implementations,
            )
            watchers.append(self.validation)
        if args.time_passes:  # last: the time of the others is not the pass's
            watchers.append(Timer())
        return watchers

    def run(self) -> None:
        """Parse, run the passes, print; every chunk of a split input by itself."""
        output = StringIO()
        try:
            chunks, extension = self.prepare_input()
            for i, (chunk, offset) in enumerate(chunks):
                with chunk:
                    self.write(output, "// -----\n" if i else "")
                    self.write(output, self.run_chunk(chunk, extension, offset))
        finally:
            sys.stdout.flush()  # reports, on stderr, stand behind what was printed
            for watcher in self.watchers:
                watcher.end()
        if self.args.output_file is not None:
            text = output.getvalue()
            with whole(self.args.output_file) as path:
                path.write_text(text, encoding="utf-8")
            save_weights(self.ctx.weights, text, Path(self.args.output_file))

    def write(self, output: StringIO, text: str) -> None:
        """To stdout at once; to a file only when all of it is there."""
        (sys.stdout if self.args.output_file is None else output).write(text)

    def run_chunk(self, chunk: IO[bytes], extension: str, offset: int) -> str:
        """What one module becomes; with the options for tests, also what is wrong with it."""
        self.parser, self.first_line = None, offset
        try:
            module = self.parse_chunk(chunk, extension, offset)
            if module is None:
                return ""
            if not self.args.disable_verify:
                require_valid(module, self.parser)
            self.apply_passes(module)
            return self.output_resulting_program(module)
        except ParseError as e:
            e.span = replace(e.span, line_offset=offset)
            if not self.args.parsing_diagnostics:
                raise
            return f"{e}\n"
        except DiagnosticException as e:
            if not self.args.verify_diagnostics:
                raise
            while isinstance(e.__cause__, DiagnosticException):
                e = e.__cause__  # as xDSL printed it
            return "\n".join([str(e), *getattr(e, "__notes__", ())]) + "\n"

    def apply_passes(self, prog: ModuleOp) -> None:
        """Run the pipeline on one module."""
        reproducer = self.make_reproducer() if self.args.reproducer is not None else None
        verify = not self.args.disable_verify
        run_passes(self.ctx, prog, self.pipeline.passes, self.watchers, reproducer, verify)

    @property
    def unchecked(self) -> int:
        """How many passes --validate had to let through."""
        return self.validation.unchecked if self.validation is not None else 0

    def make_reproducer(self) -> Reproducer:
        """Where a failure is written to; a new file of its own, unless the user named one."""
        # by their whole paths: it may be run from another folder
        options = [word for path in self.args.load for word in ("--load", os.path.abspath(path))]
        if self.args.validate is not None:
            options += [f"--validate={self.args.validate}"]
            options += [f"--validate-budget={self.args.validate_budget:g}"]
        return Reproducer(self.args.reproducer, self.ctx.weights, tuple(options))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; the exit status is 0, or 1 after a line on stderr that says why."""
    tool = None
    try:
        tool = LaminaOpt(argv)
        tool.run()
        sys.stdout.flush()
    except SystemExit:
        raise  # --help, --version
    except ShrinkException:
        print("Success, can shrink")
        return 0
    except BrokenPipeError:
        # Python flushes stdout again as it exits: that must not fail a second time
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BaseException as e:
        wanted = tool.args.traceback if tool else "--traceback" in (argv or sys.argv)
        if wanted:
            traceback.print_exc()
        print("lamina-opt:", explain(e) or crashed(e), file=sys.stderr)
        return 1
    if tool.unchecked:
        passes = "1 pass was" if tool.unchecked == 1 else f"{tool.unchecked} passes were"
        print(f"lamina-opt: validate: {passes} not checked, see above", file=sys.stderr)
        return 1
    if tool.args.shrink:
        print("Failure, can't shrink")
    return int(tool.args.shrink)
