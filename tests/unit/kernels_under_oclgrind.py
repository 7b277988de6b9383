"""
Run networks of test_opencl_model.py on Oclgrind, which writes what it finds to stderr.

    python -m tests.unit.kernels_under_oclgrind TARGET NAME... [WHAT->INSTEAD]

With WHAT->INSTEAD, that text is replaced in each kernel: a test of the simulator.
"""

import sys

import numpy as np

from tests.unit.test_opencl_model import NETWORKS, compiled, expected, random


def run(name: str, target: str, what: str, instead: str) -> None:
    """Print how far the network is from ONNX Runtime, as a share of the largest value."""
    model = NETWORKS[name]()
    ours = compiled(model, target)
    assert ours.device.name == "Oclgrind Simulator", ours.device.name
    if what:
        kernels = {s: code.decode().replace(what, instead) for s, code in ours.objects.items()}
        assert any(kernels[s] != code.decode() for s, code in ours.objects.items())
        ours.objects.update((s, text.encode()) for s, text in kernels.items())
    x = random(*ours.inputs[0].shape, seed=7)
    y, reference = ours(x), expected(model, x)
    print(f"{name}: {np.abs(y - reference).max() / np.abs(reference).max()}")


if __name__ == "__main__":
    target, *names = sys.argv[1:]
    changes = [name for name in names if "->" in name]
    what, _, instead = changes[0].partition("->") if changes else ("", "", "")
    for name in names:
        if name not in changes:
            run(name, target, what, instead)
