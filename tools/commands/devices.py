"""`lamina devices`: the OpenCL devices of this computer."""

from __future__ import annotations

from argparse import Namespace

from lamina.backends.machine import describe, targets
from lamina.backends.opencl.devices import Device, choose, devices
from lamina.errors import LaminaError


def run(args: Namespace) -> None:
    """Print every device, and which of them models run on."""
    found = devices()
    try:
        chosen, reason = choose(), ""
    except LaminaError as e:
        chosen, reason = None, str(e)
    for k, device in enumerate(found):
        print(_text(k, device, device == chosen))
    if reason:
        raise LaminaError(reason)


def _targets(flavour: str) -> list[str]:
    """The targets whose kernels are of this flavour."""
    return [t for t in targets() if describe(t).flavour == flavour]


def _text(number: int, d: Device, chosen: bool) -> str:
    mark = "models run here" if chosen else f"LAMINA_OPENCL_DEVICE={number} chooses it"
    memory = f"{d.memory / 2**30:.1f} GiB{', shared with the host' if d.shares_memory else ''}"
    rows = {
        "platform": f"{d.platform}, driver {d.driver}",
        "units": str(d.units),
        "memory": f"{memory}, {d.largest / 2**30:.1f} GiB in one buffer",
        "subgroups": ", ".join(map(str, d.subgroups)) or "none",
        "extensions": ", ".join(d.extensions) or "none of those that matter",
        "kernels": f"{d.flavour}, --target {' or '.join(_targets(d.flavour))}",
    }
    lines = [f"  {name + ':':12}{text}" for name, text in rows.items()]
    return "\n".join([f"{number}: {d.name} ({d.kind}), {mark}", *lines])
