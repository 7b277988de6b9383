"""`lamina compile`: an artifact, or the text of one level."""

from __future__ import annotations

from argparse import Namespace

import lamina
from lamina.compiler import machines_of
from lamina.errors import LaminaError
from lamina.tools import _files
from lamina.tools._models import compiler_options


def run(args: Namespace) -> None:
    """Compile a model and save it, or print it."""
    _files.require_readable(args.model)
    if args.output:
        _files.require_different(args.output, args.model)
        _files.require_writable(args.output)
    if args.report is not None:
        _report(args)
    elif args.emit:
        from lamina.tools._emit import emit  # all passes, which a cached model does without

        emit(args)
    elif not args.output:
        raise LaminaError(
            "compile needs -o FILE for the artifact, --emit LEVEL to print one, or --report"
        )
    else:
        _files.require_replaceable(args.output)
        model = lamina.compile(args.model, **compiler_options(args))
        model.save(args.output)
        _remark(model)


def _remark(model: lamina.CompiledModel) -> None:
    """How much was tuned, if anything was."""
    calls = model.manifest.calls
    if tuned := sum(c.tuned for c in calls):
        print(f"{tuned} of {len(calls)} kernel calls have schedules from lamina tune")


def _report(args: Namespace) -> None:
    """Print the report, or write its page; the artifact too, if it has a place."""
    if args.emit:
        raise LaminaError("--report compiles to the end, so it goes without --emit")
    if args.report:
        _files.require_different(args.report, args.model)
        if args.output:
            _files.require_different(args.report, args.output)
        _files.require_writable(args.report)
    model, text = _reported(args)
    if args.output:
        _files.require_replaceable(args.output)
        model.save(args.output)
    if not args.report:
        print(text)
        _remark(model)
        return
    with _files.whole(args.report) as path:
        path.write_text(text, encoding="utf-8")


def _reported(args: Namespace) -> tuple[lamina.CompiledModel, str]:
    """The model, and the report on it: a page if it has a place."""
    # imported here: all passes, as above
    if "," in args.target:
        args.target = ",".join(machine.name for machine in machines_of(args.target))
    if "," in args.target or args.place:
        from lamina.tools._division import division_of
        from lamina.tools._division_table import division_page, division_text

        division = division_of(args)
        return division.model, (division_page if args.report else division_text)(division)
    from lamina.tools._network_page import page
    from lamina.tools._network_report import report_on
    from lamina.tools._network_table import tables

    network = report_on(args)
    return network.model, (page if args.report else tables)(network)
