"""
A process that holds one model in one library and runs it when `lamina bench` says so.

One JSON object a line comes in on stdin, and each is answered by one on stdout: `load` first, then
`outputs` (run once, results to a file) and `time` (run often, milliseconds).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from statistics import median

PR_SET_PDEATHSIG = 1


def main(cpus: list[int], make: Callable[[], object]) -> None:
    """Serve requests until stdin ends: each is a method of what `make` makes."""
    # A suspended process would outlive a killed parent for ever.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, cpus)
    # Libraries print what they like to stdout; the answers go where only we write.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contender = make()
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(contender, request.pop("do"))(**request)
        print(json.dumps(answer), file=answers, flush=True)


class Contender:
    """One loaded model; each public method answers the request of its name."""

    def load(self, runner: str, path: str, threads: int, options: dict) -> dict:
        """Load or compile the model; `cannot` says why this library does not take it."""
        # The process is pinned before anything that starts threads is imported.
        from lamina.errors import LaminaError
        from lamina.tools._peers import RUNNERS, Refused

        start = time.perf_counter()
        try:
            self.runner = RUNNERS[runner](path, threads, options)
        except Refused as e:
            return {"cannot": str(e)}
        except LaminaError as e:
            return {"error": str(e)}
        return {
            "version": self.runner.version,
            "inputs": [(name, shape, str(dtype)) for name, shape, dtype in self.runner.inputs],
            "load_s": time.perf_counter() - start,
        }

    def outputs(self, inputs: str, outputs: str) -> dict:
        """Run once on the arrays of one file, write the results to another; keep the inputs."""
        from lamina.tools._arrays import load_npz, save_npz

        self.inputs = load_npz(inputs)
        start = time.perf_counter()
        found = self.runner.run(self.inputs)
        seconds = time.perf_counter() - start
        save_npz(outputs, found)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"run_s": seconds, "peak_mb": peak_mb}

    def time(self, warm_up: int, runs: int) -> dict:
        """Milliseconds of each of `runs` runs, after some that do not count."""
        times = []
        for _ in range(warm_up + runs):
            start = time.perf_counter_ns()
            self.runner.run(self.inputs)
            times.append((time.perf_counter_ns() - start) / 1e6)
        return {"times": times[warm_up:]}

    def profile(self, rounds: int) -> dict:
        """
        Each kernel call of Lamina's model, and the peak of this CPU, measured in turns; of a device
        the peak is not known, nor of several together.
        """
        from lamina.backends import dot4
        from lamina.backends.cpu.peak import fma_peak
        from lamina.backends.machine import describe
        from lamina.tools._peers import Lamina

        assert isinstance(self.runner, Lamina)
        model = self.runner.model
        first, *others = model.manifest.target.split(",")
        machine = describe(first)
        cpu = machine.kind == "cpu" and not others
        peaks, profiles = [fma_peak(machine) if cpu else 0.0], []  # of one core
        for _ in range(3):
            profiles.append(model.profile(self.inputs, rounds))
            peaks.append(fma_peak(machine) if cpu else 0.0)
        host = model.enqueueing(self.inputs, rounds)
        return {
            "enqueueing": host._asdict() if host else None,
            "peak_gflops": model.threads * max(peaks),
            "bytes_over_floats": 8 * dot4.per_cycle(machine, "all") / machine.rates.flops_per_cycle,
            "calls": [
                timings[0]._replace(seconds=median(t.seconds for t in timings))._asdict()
                | {"device": model.devices[timings[0].call]}
                for timings in zip(*profiles, strict=True)
            ],
        }


if __name__ == "__main__":
    main([int(cpu) for cpu in sys.argv[1].split(",")], Contender)
