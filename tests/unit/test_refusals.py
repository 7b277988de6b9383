"""Ops that a device refuses go to another one; what no device claims is an error in one line."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from xdsl.ir import Operation

import lamina
from lamina.backends import registry
from lamina.backends.cpu.backend import CPU
from lamina.backends.interface import Backend
from lamina.backends.machine import Machine
from lamina.context import new_context
from lamina.dialects.graph import SoftmaxOp
from lamina.errors import LaminaError
from lamina.frontends.onnx import import_model
from lamina.passes.graph._devices import device_of
from lamina.passes.graph.place_on_devices import PlaceOnDevicesPass

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
SUMS = "needs a unit for sums, the fake device has none"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the fake device is installed, beside lamina."""
    registry.installed.cache_clear()
    entry = EntryPoint("fake", "tests.unit.fake_backend:FAKE", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    yield
    registry.installed.cache_clear()


def refuse(backend: Backend, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a back end compute anything but a softmax."""

    def claims(self: object, op: Operation, machine: Machine) -> str | None:
        return reason if isinstance(op, SoftmaxOp) else None

    monkeypatch.setattr(type(backend), "claims", claims)


def error(target: str, *place: str) -> str:
    """What is said of a network that cannot be placed."""
    with pytest.raises(LaminaError) as raised:
        lamina.compile(DIGITS, target=target, place=place, threads=None, cache=False)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_op_that_no_device_claims_is_named_with_what_each_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse(CPU, "this CPU has no exponentials", monkeypatch)
    assert error("fake,cpu") == (
        "place-on-devices: 'probability' (graph.softmax) runs nowhere: "
        f"fake: graph.softmax {SUMS}; cpu: this CPU has no exponentials"
    )


def test_cpu_is_proposed_where_none_was_asked() -> None:
    assert error("fake,fake:old") == (
        "place-on-devices: '/0/classify/Gemm_output_0' (graph.dense) runs nowhere: "
        f"fake: graph.dense {SUMS}; fake:old: graph.dense {SUMS}; add cpu to the targets"
    )


def test_rule_for_a_device_that_refuses_says_who_would_not() -> None:
    assert error("fake,cpu", "*:fake") == (
        "place-on-devices: '/0/classify/Gemm_output_0' (graph.dense) cannot run on fake, as rule "
        f"'*:fake' says: graph.dense {SUMS}; it runs on cpu"
    )


def test_rule_does_not_help_where_no_device_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(CPU, "this CPU has no exponentials", monkeypatch)
    assert "'probability' (graph.softmax) runs nowhere: fake: " in error(
        "fake,cpu", "*:cpu", "graph.softmax:fake"
    )


@pytest.mark.parametrize(
    ("device", "elsewhere"),
    [
        ("fake", {"graph.dense", "graph.softmax"}),
        ("fake:old", {"graph.dense", "graph.softmax", "graph.max_pool2d"}),
    ],
)
def test_what_a_device_refuses_is_computed_elsewhere(device: str, elsewhere: set[str]) -> None:
    """The fake device takes no time, so it gets all that it claims."""
    module = import_model(str(DIGITS), new_context().weights)
    PlaceOnDevicesPass(f"{device},cpu:haswell").apply(new_context(), module)
    devices = {op.name: device_of(op) for op in module.walk() if device_of(op)}
    assert {name for name, d in devices.items() if d == "cpu:haswell"} == elsewhere
    assert {"graph.conv2d", "graph.add"} <= {n for n, d in devices.items() if d == device}
