"""
How long compiling takes, beside the number of different kernels that have to be made.

Each network is compiled for this CPU in a new process, twice, with nothing kept from before; the
faster one counts, in seconds of processor time from the file to the model that can be run; it is
one thread that works, so on an idle machine the clock shows the same. Work should grow with the
kernels, and little with the calls of them: ResNet-152 has three times as many as ResNet-50.

    python -m benchmarks.compile_time [resnet18 resnet50 ... | FILE.onnx ...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.models import file_of

NETWORKS = [
    *(f"resnet{n}" for n in (18, 34, 50, 101, 152)),
    *(f"densenet{n}" for n in (121, 161, 169, 201)),
    "inception_v3",
]


def compiled(path: str) -> dict[str, float]:
    """What it takes to compile one file, in this process."""
    import lamina

    busy = time.process_time()
    model = lamina.compile(path, cache=False)
    calls = model.manifest.calls
    return {
        "calls": len(calls),
        "kernels": len({call.symbol for call in calls}),
        "seconds": time.process_time() - busy,
    }


def measured(path: Path, times: int = 2) -> dict[str, float]:
    """The fastest of some new processes."""
    command = [sys.executable, "-m", "benchmarks.compile_time", "--here", str(path)]
    found = [json.loads(subprocess.check_output(command)) for _ in range(times)]
    return min(found, key=lambda each: each["seconds"])


def row(name: str, found: dict[str, float]) -> str:
    """A line of the table."""
    calls, kernels, seconds = found["calls"], found["kernels"], found["seconds"]
    return f"| {name} | {calls} | {kernels} | {seconds:.2f} | {1000 * seconds / kernels:.0f} |"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.compile_time", description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.here:
        print(json.dumps(compiled(args.networks[0])))
        return
    print("| network | calls | kernels | seconds | ms a kernel |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.networks:
            path = file_of(name, folder)
            print(row(name, measured(path)), flush=True)


if __name__ == "__main__":
    main()
