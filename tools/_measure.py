"""
One model, in Lamina and in other libraries: their times, and whether they agree.

A library may refuse a model, die of it, or compute something else than Lamina and another library:
these are results, and its times are compared with nothing. What Lamina cannot do is an error.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from lamina.errors import LaminaError
from lamina.progress import Progress, progress_bar
from lamina.tools import _report
from lamina.tools._arrays import Arrays, load_npz, random_inputs, save_npz
from lamina.tools._peers import PEERS
from lamina.tools._rounds import Contender, Died, Turns, choose_cpus, contenders, take_turns

Entries = dict[str, dict[str, Any]]
"""label of a contender -> all that is known of it"""

TOLERANCE = {"float": 1e-4, "quantized": 0.25}
"""
How far outputs may differ, as a share of the largest value. Where a number lies between two steps
of quantization, libraries that are right take either. In a deep network one such difference reaches
most bytes some layers later: results then differ by as much as quantization changes them, up to a
fifth on the networks of `benchmarks/quantized.py`.
"""

QUANTIZING = ("QuantizeLinear", "DynamicQuantizeLinear", "QLinear")
"""how the names of operators of ONNX begin that round numbers to a few bits"""


def lineup(args: Namespace) -> Entries:
    """Who takes part: Lamina, on each kind of threads, and each peer, with each number of them."""
    mine = [("lamina", threads) for threads in args.threads]
    mine += [(f"lamina-{p}", t) for p in args.pool if p != "lamina" for t in args.threads if t > 1]
    others = [(name, t) for t in args.peer_threads for name in args.against]
    return {f"{name}@{t}": {"name": name, "threads": t} for name, t in (*mine, *others)}


def opponent(entry: Mapping[str, Any], entries: Entries) -> str:
    """Lamina with as many threads, or with the next lower number that it was measured with."""
    mine = {e["threads"]: label for label, e in entries.items() if e["name"] == "lamina"}
    return mine[max((t for t in mine if t <= entry["threads"]), default=min(mine))]


def measure(path: str, args: Namespace) -> dict[str, Any]:
    """Everything about one model."""
    entries = lineup(args)
    cpus = {label: choose_cpus(entry["threads"]) for label, entry in entries.items()}
    first = next(iter(entries))
    with contenders(cpus) as everyone, progress_bar() as step:
        step("start", more=3 * len(entries) + 1)
        specs = _load(path, everyone, entries, args, step)
        inputs = [random_inputs(specs, args.seed + i) for i in (1, 0)]
        other, outputs = [_outputs(everyone, x, entries, step) for x in inputs]
        turns = _turns(everyone, entries, args, step)
        profile = everyone[first].ask("profile", rounds=args.rounds) if args.profile else None
    for label, times in turns.items():
        entry = entries[label]
        entry["latency"], entry["turns"] = _report.latency(times), times
        if entry["name"] != "lamina":
            mine = opponent(entry, entries)
            entry["ratio"] = {"to": mine, **_report.ratio(turns, mine, label)}
            entry["difference"] = _report.difference(outputs[first], outputs[label])
    result: dict[str, Any] = {"name": Path(path).stem, "path": path}
    result |= {"rounds": len(turns[first]), "runs": len(turns[first][0]), "contenders": entries}
    result["tolerance"] = _tolerance(path, args)
    _judge(entries, result["tolerance"])
    result["depends_on_input"] = _report.difference(other[first], outputs[first]) > 1e-6
    if profile:
        _report.complete_profile(profile)
        result["profile"] = profile
    return result


def _tolerance(path: str, args: Namespace) -> float:
    """How far the outputs may differ, as the user said, or as suits the numbers in the model."""
    if args.tolerance is not None:
        return args.tolerance
    return TOLERANCE["quantized" if args.against and is_quantized(path) else "float"]


def is_quantized(path: str) -> bool:
    """Whether an ONNX file has numbers that are rounded to a few bits when it runs."""
    model = onnx.load(path, load_external_data=False)
    return any(n.op_type.startswith(QUANTIZING) for n in model.graph.node)


def _judge(entries: Entries, tolerance: float) -> None:
    """
    A library that differs from Lamina and from another library is wrong, and compared no more. If
    Lamina agrees with none, nobody knows who is: `check` says so.
    """
    peers = {k: e for k, e in entries.items() if e["name"] in PEERS and "difference" in e}
    agree = {e["name"] for e in peers.values() if e["difference"] <= tolerance}
    for entry in peers.values():
        others = sorted(agree - {entry["name"]})
        if entry["difference"] > tolerance and others:
            entry["wrong"] = f"differs from lamina and {' and '.join(others)}"
            del entry["ratio"]


def _load(
    path: str, field: Mapping[str, Contender], entries: Entries, args: Namespace, step: Progress
) -> Any:
    """Let each contender load the model, or say that it cannot; returns what Lamina takes."""
    specs = None
    for label, contender in field.items():
        step(f"load {label}")
        entry = entries[label]
        request = {"runner": entry["name"], "path": path, "threads": entry["threads"]}
        try:
            answer = contender.ask("load", **request, options=_options(args))
        except Died as died:
            _leave_out(died, entries)
            continue
        inputs = answer.pop("inputs", None)
        specs = inputs if entry["name"] == "lamina" else specs
        entry.update(answer)
    return specs


def _options(args: Namespace) -> dict[str, Any]:
    """Of Lamina's compiler; the number of threads comes with the contender."""
    return {
        "target": args.target,
        "numerics": args.numerics,
        "layouts": args.layouts,
        "requantize": args.requantize,
        "place": args.place,
        "storage": args.storage,
        "shapes": dict(args.shape),
        "cache": not args.no_cache,
        "records": not args.no_records,
    }


def _leave_out(died: Died, entries: Entries) -> None:
    """A library that dies of a model cannot run it."""
    if entries[died.name]["name"] not in PEERS:
        raise died
    entries[died.name]["cannot"] = died.how


def _running(field: Mapping[str, Contender], entries: Entries) -> dict[str, Contender]:
    return {label: each for label, each in field.items() if "cannot" not in entries[label]}


def _outputs(
    field: Mapping[str, Contender], inputs: Arrays, entries: Entries, step: Progress
) -> dict[str, Arrays]:
    """What each contender makes of the same inputs, which it keeps for the runs to be timed."""
    found: dict[str, Arrays] = {}
    with tempfile.TemporaryDirectory() as folder:
        save_npz(f"{folder}/in.npz", inputs)
        for label, contender in _running(field, entries).items():
            step(f"run {label}")
            file = f"{folder}/out.npz"
            try:
                answer = contender.ask("outputs", inputs=f"{folder}/in.npz", outputs=file)
            except Died as died:
                _leave_out(died, entries)
                continue
            entries[label]["peak_mb"] = answer["peak_mb"]
            # Some libraries compile when they are run for the first time.
            entries[label].setdefault("first_run_s", answer["run_s"])
            found[label] = load_npz(file)
    return found


def _turns(
    field: Mapping[str, Contender], entries: Entries, args: Namespace, step: Progress
) -> Turns:
    """The times of those that live; if one dies of it, the others begin anew."""
    while True:
        running = _running(field, entries)
        try:
            return take_turns(running, args.rounds, args.seconds or float("inf"), step)
        except Died as died:
            _leave_out(died, entries)


def check(model: Mapping[str, Any]) -> None:
    """The time of a wrong or constant result is worth nothing: say so, and fail."""
    if "profile" in model:
        _report.check_profile(model["profile"])
    if not model["depends_on_input"]:
        raise LaminaError(f"{model['path']}: the output is the same for different inputs")
    tolerance = model.get("tolerance", TOLERANCE["float"])
    for entry in model["contenders"].values():
        far = entry.get("difference", 0)
        if far > tolerance and "wrong" not in entry:
            raise LaminaError(
                f"{model['path']}: outputs differ from those of {entry['name']} by {far:.1e} of "
                f"the largest value, more than {tolerance:.1e}"
            )
