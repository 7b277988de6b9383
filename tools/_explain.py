"""Every error that a user of lamina-opt can cause, as one line."""

from __future__ import annotations

import traceback

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import (
    AlreadyRegisteredConstructException,
    ArgSpecParseError,
    DiagnosticException,
    ParseError,
    UnregisteredConstructException,
    VerifyException,
)

from lamina.errors import LaminaError
from lamina.ir_file import IrParser, first_invalid


def explain(error: BaseException) -> str | None:
    """What `error` says to a user, in one line; None if it is not theirs but a bug."""
    match error:
        case ParseError():
            where = error.span.get_location()
            return f"{where}: {first_line(error.msg)}"
        case ArgSpecParseError():
            return _explain_pipeline(str(error))
        case OSError():
            parts = (error.filename, error.strerror or error)
            return ": ".join(str(part) for part in parts if part)
        case UnicodeDecodeError():
            return f"the input is not UTF-8 text: {error.reason} at byte {error.start}"
        case KeyboardInterrupt():
            return "interrupted"
        case RecursionError():
            return "the IR is nested too deeply"
        case LaminaError():
            return " ".join(str(error).split())
        case (
            DiagnosticException()
            | UnregisteredConstructException()
            | AlreadyRegisteredConstructException()
        ):
            return first_line(str(error))
    return None


def first_line(text: str) -> str:
    """The message without the source or IR that xDSL prints below it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")


def crashed(error: BaseException) -> str:
    """An exception that nobody meant to be read, with where it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename}:{frame.lineno}"
    detail = first_line(str(error)) if str(error) else "no message"
    return f"crashed: {type(error).__name__}: {detail} ({where}; --traceback shows the way there)"


def _explain_pipeline(text: str) -> str:
    """xDSL writes a title, `name:line:column`, the source, a marker and, last, the message."""
    _, where, *_, message = [line.strip() for line in text.splitlines() if line.strip()]
    column = where.rpartition(":")[2]
    return f"pipeline, column {column}: {message[0].lower()}{message[1:]}"


def require_valid(module: ModuleOp, parser: IrParser | None = None) -> None:
    """
    Verify; a failure names the op and its function, and its place where `parser` knows it, instead
    of printing the module.
    """
    try:
        module.verify()
    except VerifyException as e:
        op = first_invalid(module)
        where = f"{op.name} in {function_of(op)}: " if op is not None else ""
        place = f"{parser.position_of(op or module)}: " if parser is not None else ""
        raise VerifyException(f"{place}{where}{first_line(str(e))}") from e


def function_of(op: Operation) -> str:
    """The function that `op` is in, to be named in a message."""
    parent: Operation | None = op
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return f"@{parent.sym_name.data}" if parent is not None else "the module"
