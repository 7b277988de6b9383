"""
The `lamina` command: its arguments, and every error as one line.

Nothing heavy is imported here: `lamina --help` answers at once, and a command imports what it
needs when it is chosen. That is also why the arguments stand here and not with the commands.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from io import TextIOWrapper

from lamina.errors import LaminaError
from lamina.tools._arguments import (
    add_compiler_options,
    add_model_options,
    add_shape,
    add_storage,
    add_target_options,
    count,
    names,
    numbers,
    positive,
)
from lamina.tools._program import Interrupts, Parser

LEVELS = ("graph", "te", "loop", "vector", "llvm", "asm", "opencl")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 1 after a line on stderr that says why."""
    interrupts = Interrupts(last=argv is None)
    if isinstance(sys.stdout, TextIOWrapper):  # names that the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with interrupts:
            args = parser().parse_args(argv)
            args.words = sys.argv[1:] if argv is None else argv
            import_module(f"lamina.tools.commands.{args.command.replace('-', '_')}").run(args)
            print(end="", flush=True)
    except (Exception, KeyboardInterrupt) as e:
        message = "interrupted" if interrupts.seen else reason(e)
        if message is None:
            raise
        discard_output()
        return failed(message)
    return 0


def discard_output() -> None:
    """Python flushes stdout as it exits; where that failed once, it must not fail again."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reason(error: BaseException) -> str | None:
    """What an error says to a user; None if it is not theirs but a bug."""
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case BrokenPipeError():
            return "whoever read the output closed it before the end"
        case OSError():
            parts = (error.filename, error.strerror or error)
            return ": ".join(str(part) for part in parts if part)
        case LaminaError():
            return str(error)
        case MemoryError():
            return f"not enough memory: {error}" if str(error) else "not enough memory"
    return None


def failed(message: str) -> int:
    """Report an error in one line."""
    print("lamina:", " ".join(message.split()), file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    top = Parser(
        prog="lamina",
        description="Compile neural networks, run them, time them.",
        epilog="Compiled models and kernels are kept in $LAMINA_CACHE (default: ~/.cache/lamina), "
        "5 GB at most; the folder may be deleted at any time.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_compile(commands.add_parser("compile", help="compile a model, or show it on any level"))
    _add_run(commands.add_parser("run", help="run a model"))
    _add_bench(commands.add_parser("bench", help="time a model, also against other libraries"))
    _add_tune(commands.add_parser("tune", help="measure schedules of a model's kernels"))
    _add_quantize(commands.add_parser("quantize", help="make a model of 8-bit integers"))
    _add_machine(commands.add_parser("machine", help="what is known of a CPU, measured or not"))
    _add_devices(commands.add_parser("devices", help="what OpenCL devices there are"))
    _add_inspect(commands.add_parser("inspect-opencl", help="what Intel's compiler makes of it"))
    return top


def _add_compile(p: argparse.ArgumentParser) -> None:
    p.description = "Compile MODEL to an artifact, or print what it is on one level."
    p.add_argument("model", metavar="MODEL", help="an .onnx or .mlir file")
    p.add_argument("-o", metavar="FILE", dest="output", help="where to write (--emit: or stdout)")
    p.add_argument("--emit", choices=LEVELS, help="print this level instead of compiling")
    p.add_argument(
        "--report",
        nargs="?",
        const="",
        metavar="PAGE.html",
        help="say of each kernel in which layouts it computes, how long it should take and does, "
        "and what is stored anew between kernels; of a divided network, what runs where and why; "
        "or draw that into a page, with the network",
    )
    add_compiler_options(p)


def _add_run(p: argparse.ArgumentParser) -> None:
    p.description = "Run MODEL once; say what came out."
    p.add_argument("model", metavar="MODEL", help="an .onnx, .mlir or .lam file")
    p.add_argument("--input", metavar="NPZ", help="the inputs by name (default: random ones)")
    p.add_argument("--output", metavar="NPZ", help="where to write the outputs by name")
    p.add_argument("--seed", type=count, default=0, help="of the random inputs (default: 0)")
    add_compiler_options(p)


def _add_bench(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Time each MODEL in interleaved rounds, each contender alone in a process of its own, all "
        "on the same CPUs, and compare what they compute. A ratio is Lamina's time over the "
        "other's in the same round: below 1, Lamina is faster."
    )
    p.add_argument("models", metavar="MODEL", nargs="*", help=".onnx files (alone: .lam, .mlir)")
    p.add_argument(
        "--all",
        action="store_true",
        help="the networks of benchmarks/models in a checkout; unless given otherwise, against "
        "all libraries, all with 1 and 2 threads, and 20 seconds of rounds for each network",
    )
    p.add_argument(
        "--against",
        metavar="PEER,...",
        type=names,
        help="libraries to compare with: onnxruntime, openvino, pytorch, pytorch-compiled",
    )
    p.add_argument("--threads", metavar="N,...", type=numbers, help="(default: 1)")
    p.add_argument(
        "--peer-threads",
        metavar="N,...",
        type=numbers,
        help="of the other libraries (default: as many as --threads)",
    )
    p.add_argument(
        "--pool",
        metavar="NAME,...",
        type=names,
        default=["lamina"],
        help="compare the models on other threads too: lamina (the default), openmp",
    )
    p.add_argument("--rounds", type=positive, default=15, help="(default: 15)")
    p.add_argument(
        "--seconds",
        metavar="S",
        type=positive,
        help="fewer rounds, but at least 15, for a model whose rounds would take longer than this",
    )
    p.add_argument("--seed", type=count, default=0, help="of the random inputs (default: 0)")
    p.add_argument(
        "--json", metavar="FILE", help="write everything that was measured, after each model"
    )
    p.add_argument(
        "--resume", action="store_true", help="measure only the models that --json FILE lacks"
    )
    p.add_argument(
        "--report",
        metavar="FILE",
        help="measure nothing: print what --json wrote as Markdown",
    )
    p.add_argument(
        "--write",
        metavar="PAGE.md",
        help="put that between the marks of this page instead, and a plot beside the page",
    )
    p.add_argument(
        "--profile",
        nargs="?",
        const="time",
        choices=("time", "order"),
        help="also time each kernel call, slowest first or in order",
    )
    p.add_argument(
        "--tolerance",
        metavar="X",
        type=float,
        help="fail if outputs differ by more than X of the largest value (default: 1e-4; 0.25 for "
        "networks of bytes)",
    )
    add_target_options(p)


def _add_tune(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Measure the most promising schedules of each different operation of MODEL with cold "
        "caches, and record the fastest; every later compilation uses the records. Ctrl-C keeps "
        "what is measured, and a second run goes on from there."
    )
    p.add_argument("models", metavar="MODEL", nargs="*", help=".onnx or .mlir files")
    p.add_argument(
        "--trials", metavar="N", type=positive, default=16, help="schedules of each (default: 16)"
    )
    p.add_argument(
        "--rounds", metavar="N", type=positive, default=15, help="calls of each (default: 15)"
    )
    p.add_argument("--again", action="store_true", help="measure what is recorded, too")
    p.add_argument("--list", action="store_true", help="measure nothing: show the records")
    p.add_argument(
        "--export", metavar="FILE.mlir", help="measure nothing: write the records as scheduled IR"
    )
    add_model_options(p)


def _add_quantize(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Write the float ONNX file MODEL as one of 8-bit integers, in the QDQ form that other "
        "runtimes read too. Ranges of tensors are measured on samples; Ctrl-C keeps what is "
        "measured, and a second run goes on from there."
    )
    p.add_argument("model", metavar="MODEL", help="an .onnx file")
    p.add_argument("-o", metavar="FILE", dest="output", help="where to write the model")
    p.add_argument(
        "--data",
        metavar="DIR|F.npz",
        help="samples of the inputs: an .npz file with an array for each input, one sample after "
        "the other along its first dimension, or a folder of .npz or .npy files",
    )
    p.add_argument(
        "--method",
        choices=("minmax", "percentile", "entropy"),
        default="minmax",
        help="the range of a tensor: all it held, the share --percentile of that, or what loses "
        "the least information in 8 bits (default: minmax)",
    )
    p.add_argument(
        "--percentile", metavar="P", type=float, default=99.999, help="(default: 99.999)"
    )
    p.add_argument("--save-ranges", metavar="FILE", help="write the ranges as JSON")
    p.add_argument("--ranges", metavar="FILE", help="take such ranges, measure none")
    p.add_argument(
        "--activations", choices=("u8", "s8"), default="u8", help="unsigned or signed (default: u8)"
    )
    p.add_argument(
        "--seven-bit",
        action="store_true",
        help="weights of at most 64, which CPUs without VNNI multiply faster",
    )
    p.add_argument(
        "--kinds",
        metavar="KIND,...",
        type=names,
        help="what is computed in 8 bits: conv, dense, matmul, and between them add, mul, average, "
        "concat, max, move (default: all)",
    )
    p.add_argument(
        "--float",
        metavar="NAME,...",
        dest="keep_float",
        type=names,
        default=[],
        help="layers that stay float, by name or by a pattern such as 'features.0.*'",
    )
    p.add_argument(
        "--whole", action="store_true", help="quantize the first convolutions and last layers, too"
    )
    p.add_argument(
        "--simulate",
        action="store_true",
        help="write a model that computes in float and rounds what would be 8 bits",
    )
    p.add_argument(
        "--report",
        action="store_true",
        help="compare it with the float model on the samples: every quantized tensor, worst first",
    )
    p.add_argument("--again", action="store_true", help="measure what was measured before, too")
    add_shape(p)


def _add_machine(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Show what schedules are chosen by: vectors, caches, and rates. Those of this CPU are "
        "measured once, in less than a second, by the first command that compiles."
    )
    p.add_argument("--target", default="cpu", help="cpu, cpu:haswell, ... (default: cpu, this one)")
    p.add_argument("--again", action="store_true", help="measure this CPU anew")


def _add_devices(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Show the OpenCL devices of this computer, and which one runs models: the first graphics "
        "processor that can, or what LAMINA_OPENCL_DEVICE names, a number or a part of its name."
    )
    p.add_argument("--json", metavar="FILE", help="where to write the same as JSON")


def _add_inspect(p: argparse.ArgumentParser) -> None:
    p.description = (
        "Compile every kernel of MODEL with Intel's offline compiler, ocloc, for devices that need "
        "not be there, and show of each what it spills, how many lanes a thread has, how many "
        "instructions there are, in the block where it spends its time how many multiply and add, "
        "their share of its cycles, and how memory is read: in blocks, otherwise, by 64-bit "
        "addresses (a64)."
    )
    p.add_argument("model", metavar="MODEL", help="an .onnx or .mlir file")
    p.add_argument(
        "--device",
        metavar="NAME,...",
        type=names,
        default=["bxt"],
        help="skl, kbl, bxt, glk (Gen9), tgllp, adl-p, dg1, dg2 (Xe); bxt is that of Apollo Lake "
        "(default: bxt)",
    )
    p.add_argument("--json", metavar="FILE", help="where to write the same as JSON")
    add_storage(p)
    add_shape(p)


if __name__ == "__main__":
    sys.exit(main())
