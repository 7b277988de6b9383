"""`lamina devices`: the OpenCL devices of this computer."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from lamina.backends.machine import describe, targets
from lamina.backends.opencl.devices import Device, choose, devices, survey
from lamina.errors import LaminaError
from lamina.tools import _files


def run(args: Namespace) -> None:
    """Print every device, and which of them models run on; write the same as JSON if told to."""
    if args.json:
        _files.require_writable(args.json)
    found = devices()
    _, failures = survey()
    try:
        chosen, reason = choose(), ""
    except LaminaError as e:
        chosen, reason = None, str(e)
    for k, device in enumerate(found):
        print(_text(k, device, device == chosen))
    for failure in failures:
        print(f"lamina: {failure}", file=sys.stderr)
    if args.json:
        rows = [_row(k, d, d == chosen) for k, d in enumerate(found)]
        text = json.dumps({"devices": rows, "failures": failures}, indent=1)
        with _files.whole(args.json) as path:
            path.write_text(text + "\n", encoding="utf-8")
    if reason:
        raise LaminaError(reason)


def _row(number: int, d: Device, chosen: bool) -> dict[str, Any]:
    fields = {name: value for name, value in vars(d).items() if name != "handle"}
    kernels = {"flavour": d.flavour, "targets": _targets(d.flavour)}
    return {"number": number, **fields, **kernels, "chosen": chosen}


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
