"""One model, in Lamina and in other libraries: their times, and whether they agree."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.errors import LaminaError
from lamina.progress import Progress, progress_bar
from lamina.tools import _report
from lamina.tools._arrays import Arrays, load_npz, random_inputs, save_npz
from lamina.tools._rounds import Contender, choose_cpus, contenders, take_turns

Entries = dict[str, dict[str, Any]]
"""label of a contender -> all that is known of it"""


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
        field = {label: everyone[label] for label, e in entries.items() if "cannot" not in e}
        inputs = [random_inputs(specs, args.seed + i) for i in (1, 0)]
        outputs = [_outputs(field, x, entries, step) for x in inputs]
        turns = take_turns(field, args.rounds, args.seconds or float("inf"), step)
        profile = field[first].ask("profile", rounds=args.rounds) if args.profile else None
    for label, times in turns.items():
        entry = entries[label]
        entry["latency"], entry["turns"] = _report.latency(times), times
        if entry["name"] != "lamina":
            mine = opponent(entry, entries)
            entry["ratio"] = {"to": mine, **_report.ratio(turns, mine, label)}
            entry["difference"] = _report.difference(outputs[1][first], outputs[1][label])
    mine = [each[first] for each in outputs]
    result: dict[str, Any] = {"name": Path(path).stem, "path": path}
    result |= {"rounds": len(turns[first]), "runs": len(turns[first][0]), "contenders": entries}
    result["depends_on_input"] = _report.difference(mine[0], mine[1]) > 1e-6
    if profile:
        _report.complete_profile(profile)
        result["profile"] = profile
    return result


def _load(
    path: str, field: Mapping[str, Contender], entries: Entries, args: Namespace, step: Progress
) -> Any:
    """Let each contender load the model, or say that it cannot; returns what Lamina takes."""
    specs = None
    for label, contender in field.items():
        step(f"load {label}")
        entry = entries[label]
        request = {"runner": entry["name"], "path": path, "threads": entry["threads"]}
        answer = contender.ask("load", **request, options=_options(args))
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
        "shapes": dict(args.shape),
        "cache": not args.no_cache,
        "records": not args.no_records,
    }


def _outputs(
    field: Mapping[str, Contender], inputs: Arrays, entries: Entries, step: Progress
) -> dict[str, Arrays]:
    """What each contender makes of the same inputs, which it keeps for the runs to be timed."""
    found: dict[str, Arrays] = {}
    with tempfile.TemporaryDirectory() as folder:
        save_npz(f"{folder}/in.npz", inputs)
        for label, contender in field.items():
            step(f"run {label}")
            file = f"{folder}/out.npz"
            answer = contender.ask("outputs", inputs=f"{folder}/in.npz", outputs=file)
            entries[label]["peak_mb"] = answer["peak_mb"]
            # Some libraries compile when they are run for the first time.
            entries[label].setdefault("first_run_s", answer["run_s"])
            found[label] = load_npz(file)
    return found


def check(model: Mapping[str, Any], tolerance: float) -> None:
    """The time of a wrong or constant result is worth nothing: say so, and fail."""
    if "profile" in model:
        _report.check_profile(model["profile"])
    if not model["depends_on_input"]:
        raise LaminaError(f"{model['path']}: the output is the same for different inputs")
    for entry in model["contenders"].values():
        far = entry.get("difference", 0)
        if far > tolerance:
            raise LaminaError(
                f"{model['path']}: outputs differ from those of {entry['name']} by {far:.1e} of "
                f"the largest value, more than {tolerance:.1e}"
            )
