"""
Run networks of test_opencl_model.py on Oclgrind, which writes what it finds to stderr.

    python -m tests.unit.kernels_under_oclgrind TARGET/NAME TARGET/NAME/WHAT->INSTEAD ...

Before each case its line is written there, behind "== ". With WHAT->INSTEAD, that text is replaced
in its kernels: a test of the simulator.
"""

import sys

import numpy as np

from tests.unit.test_opencl_model import NETWORKS, compiled, expected, random


def difference(name: str, target: str, what: str, instead: str) -> float:
    """How far the network is from ONNX Runtime, as a share of the largest value."""
    model = NETWORKS[name]()
    ours = compiled(model, target)
    assert ours.device.name == "Oclgrind Simulator", ours.device.name
    if what:
        kernels = {s: code.decode().replace(what, instead) for s, code in ours.objects.items()}
        assert any(kernels[s] != code.decode() for s, code in ours.objects.items())
        ours.objects.update((s, text.encode()) for s, text in kernels.items())
    x = random(*ours.inputs[0].shape, seed=7)
    y, reference = ours(x), expected(model, x)
    return float(np.abs(y - reference).max() / np.abs(reference).max())


if __name__ == "__main__":
    for case in sys.argv[1:]:
        print(f"== {case}", file=sys.stderr, flush=True)
        target, name, *change = case.split("/", 2)
        what, _, instead = change[0].partition("->") if change else ("", "", "")
        print(f"{case}: {difference(name, target, what, instead)}")
