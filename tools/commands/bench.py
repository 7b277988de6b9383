"""`lamina bench`: how fast models are, beside other libraries, and whether they agree."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from lamina.backends.cpu.thread_pool import LIBRARIES, library_path
from lamina.errors import LaminaError
from lamina.tools import _bench_page, _checkout, _files, _measure, _report
from lamina.tools._peers import PEERS
from lamina.tools._rounds import choose_cpus

SETTINGS = (
    "against",
    "threads",
    "peer_threads",
    "pool",
    "rounds",
    "seconds",
    "seed",
    "target",
    "numerics",
    "layouts",
    "requantize",
    "place",
    "storage",
    "shape",
)
"""the arguments on which a result depends"""


def run(args: Namespace) -> None:
    """Bench every model, print a table for each, write the JSON file; or report on such a file."""
    if args.report:
        if args.models or args.all:
            raise LaminaError("--report FILE measures nothing, so it takes neither MODEL nor --all")
        _bench_page.report(args.report, args.write)
        return
    _complete(args)
    _check(args)
    report = _begun(args)
    where = report["machine"]
    print(f"{where['name']}: {where['cpu']}, {where['cpus']} CPUs, {where['system']}")
    threads = max(args.threads + args.peer_threads)
    print(f"threads: {threads} at most, pinned to CPU {', '.join(map(str, choose_cpus(threads)))}")
    done = {model["name"] for model in report["models"]}
    todo = [name for name in _names(args) if Path(name).stem not in done]
    for i, name in enumerate(todo):
        with _file(name, args) as path:
            result = _measure.measure(path, args)
        report["models"].append({**result, "path": name})
        if args.json and not _files.is_device(Path(args.json)):
            _save(report, args.json)
        rounds = f"{result['rounds']} rounds of {result['runs']} runs"
        print(f"\n{name} ({i + 1} of {len(todo)}): {rounds}")
        print(_report.model_table(result), flush=True)
        if args.profile:
            print(f"\n{_report.profile_table(result['profile'], args.profile)}", flush=True)
    if args.json:
        _save(report, args.json)
    _print_means(report["models"])
    for result in report["models"]:
        _measure.check(result)


def _complete(args: Namespace) -> None:
    """Fill in what stands for arguments that were not given."""
    if args.against is None:
        args.against = list(PEERS) if args.all else []
    if args.threads is None:
        args.threads = [1, 2] if args.all else [1]
    if args.peer_threads is None:
        args.peer_threads = args.threads
    if args.seconds is None and args.all:
        args.seconds = 20


def _check(args: Namespace) -> None:
    """Refuse what cannot work before any work is done."""
    if bool(args.models) == args.all:
        raise LaminaError(
            "needs either MODEL or --all, or --report FILE; see 'lamina bench --help'"
        )
    if args.write:
        raise LaminaError("--write goes with --report FILE")
    if args.resume and not args.json:
        raise LaminaError("--resume goes with --json FILE, which holds what was measured before")
    for name in args.against:
        _check_peer(name)
    _check_pools(args)
    for path in args.models:
        _files.require_readable(path)
        if args.against and Path(path).suffix != ".onnx":
            raise LaminaError(f"--against needs .onnx files, which others can read, found '{path}'")
    stems = [Path(path).stem for path in args.models]
    if args.resume and len(set(stems)) < len(stems):
        raise LaminaError("--resume needs models whose files have different names")
    if args.json:
        _files.require_writable(args.json)


def _check_peer(name: str) -> None:
    """Refuse unknown and missing libraries."""
    if name not in PEERS:
        raise LaminaError(f"--against knows {', '.join(PEERS)}, found '{name}'")
    package, extra = PEERS[name]
    if find_spec(package) is None:
        raise LaminaError(f"{name} is not installed; run: pip install 'lamina[{extra}]'")
    compiler = os.environ.get("CXX", "g++")
    if name == "pytorch-compiled" and shutil.which(compiler) is None:
        raise LaminaError(
            f"{name} needs a C++ compiler, found no '{compiler}'; install g++, name one in CXX, "
            "or leave it out of --against"
        )


def _check_pools(args: Namespace) -> None:
    """Refuse threads that are not there, and comparisons of what is not used."""
    for name in args.pool:
        if name not in LIBRARIES:
            raise LaminaError(f"--pool knows {', '.join(LIBRARIES)}, found '{name}'")
        if name != "lamina":
            library_path(name)
            if max(args.threads) == 1:
                raise LaminaError(f"--pool {name} needs more than one thread; add --threads 2")


def _names(args: Namespace) -> Sequence[str]:
    """The files to measure, or the networks of the checkout."""
    return _checkout.measured() if args.all else args.models


@contextmanager
def _file(name: str, args: Namespace) -> Iterator[str]:
    """The file of one of them."""
    if not args.all:
        yield name
        return
    with _checkout.written(name) as path:
        yield str(path)


def _begun(args: Namespace) -> dict[str, Any]:
    """The report so far: empty, or what was measured under the same conditions before."""
    settings = json.loads(json.dumps({name: getattr(args, name) for name in SETTINGS}))
    report = {
        "command": shlex.join(["lamina", *args.words]),
        "date": date.today().isoformat(),
        "machine": _report.machine(),
        "settings": settings,
        "models": [],
    }
    if not (args.resume and Path(args.json).exists()):
        return report
    before = _report.read(args.json)
    for key in ("settings", "machine"):
        for name, now in report[key].items():
            if name != "load" and (then := before[key].get(name)) != now:
                raise LaminaError(f"cannot resume '{args.json}': {name} was {then}, is {now}")
    return before


def _save(report: dict[str, Any], path: str) -> None:
    with _files.whole(path) as file:
        file.write_text(json.dumps(report, indent=1) + "\n")


def _print_means(models: list[dict[str, Any]]) -> None:
    """The geometric mean of the ratios, if there are several models."""
    if len(models) > 1:
        print()
        for label in models[0]["contenders"]:
            entries = [model["contenders"][label] for model in models]
            ratios = [entry["ratio"]["median"] for entry in entries if "ratio" in entry]
            if ratios:
                print(f"lamina / {label}, mean of {len(ratios)}: {geometric_mean(ratios):.3f}")
