"""`lamina bench`: how fast a model is, beside other libraries, and whether they agree."""

from __future__ import annotations

import json
import tempfile
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from lamina.errors import LaminaError
from lamina.tools import _files, _report
from lamina.tools._arrays import Arrays, load_npz, random_inputs, save_npz
from lamina.tools._peers import PEERS
from lamina.tools._rounds import Contender, choose_cpus, contenders, take_turns


def run(args: Namespace) -> None:
    """Bench every model, print a table for each, write the JSON file."""
    _check_peers(args)
    if args.json:
        _files.require_writable(args.json)
    cpus = choose_cpus(args.threads)
    report: dict[str, Any] = {"machine": _report.machine(), "cpus": cpus, "threads": args.threads}
    where = report["machine"]
    print(f"{where['name']}: {where['cpu']}, {where['cpus']} CPUs, {where['system']}")
    print(f"threads: {args.threads}, pinned to CPU {', '.join(map(str, cpus))}")
    report["models"] = []
    for path in args.models:
        result = _bench(path, args, cpus)
        report["models"].append(result)
        print(f"\n{path}: {args.rounds} rounds of {result['runs']} runs")
        print(_report.model_table(result), flush=True)
        if args.profile:
            print(f"\n{_report.profile_table(result['profile'], args.profile)}", flush=True)
    _print_means(report["models"], args.against)
    if args.json:
        with _files.whole(args.json) as file:
            file.write_text(json.dumps(report, indent=1) + "\n")
    for result in report["models"]:
        _check_result(result, args.against[:1], args.tolerance)


def _check_peers(args: Namespace) -> None:
    """Refuse unknown and missing libraries, and models they cannot read, before any work."""
    for name in args.against:
        if name not in PEERS:
            raise LaminaError(f"--against knows {', '.join(PEERS)}, found '{name}'")
        if find_spec(PEERS[name]) is None:
            raise LaminaError(f"{name} is not installed; run: pip install 'lamina[bench]'")
    for path in args.models:
        _files.require_readable(path)
        if args.against and Path(path).suffix != ".onnx":
            raise LaminaError(f"--against needs .onnx files, which others can read, found '{path}'")


def _bench(path: str, args: Namespace, cpus: list[int]) -> dict[str, Any]:
    """Everything about one model."""
    shapes = dict(args.shape)
    options = {"target": args.target, "shapes": shapes, "cache": not args.no_cache}
    names = ["lamina", *args.against]
    with contenders(names, cpus) as field:
        loaded = {}
        for name, contender in field.items():
            request = {"runner": name, "path": path, "threads": args.threads}
            loaded[name] = contender.ask("load", **request, options=options)
        specs = loaded["lamina"].pop("inputs")
        outputs = [_outputs(field, random_inputs(specs, args.seed + i), loaded) for i in (1, 0)]
        turns = take_turns(field, args.rounds)
        profile = field["lamina"].ask("profile", rounds=args.rounds) if args.profile else None
    result = {"path": path, "runs": len(turns["lamina"][0]), "contenders": loaded}
    for name, entry in loaded.items():
        entry["latency"], entry["turns"] = _report.latency(turns[name]), turns[name]
        if name != "lamina":
            entry["ratio"] = _report.ratio(turns, "lamina", name)
            entry["difference"] = _report.difference(outputs[1]["lamina"], outputs[1][name])
    mine = [each["lamina"] for each in outputs]
    result["depends_on_input"] = _report.difference(mine[0], mine[1]) > 1e-6
    if profile:
        _report.complete_profile(profile)
        result["profile"] = profile
    return result


def _outputs(field: dict[str, Contender], inputs: Arrays, loaded: dict) -> dict[str, Arrays]:
    """What each contender makes of the same inputs, which it keeps for the runs to be timed."""
    found: dict[str, Arrays] = {}
    with tempfile.TemporaryDirectory() as folder:
        save_npz(f"{folder}/in.npz", inputs)
        for name, contender in field.items():
            file = f"{folder}/{name}.npz"
            answer = contender.ask("outputs", inputs=f"{folder}/in.npz", outputs=file)
            loaded[name]["peak_mb"] = answer["peak_mb"]
            found[name] = load_npz(file)
    return found


def _print_means(models: list[dict[str, Any]], peers: list[str]) -> None:
    """The geometric mean of the ratios, if there are several models."""
    if len(models) > 1:
        print()
        for peer in peers:
            ratios = [m["contenders"][peer]["ratio"]["median"] for m in models]
            print(f"lamina / {peer}, mean of {len(ratios)}: {geometric_mean(ratios):.3f}")


def _check_result(model: dict[str, Any], against: list[str], tolerance: float) -> None:
    """The time of a wrong or constant result is worth nothing: say so, and fail."""
    if "profile" in model:
        _report.check_profile(model["profile"])
    if not model["depends_on_input"]:
        raise LaminaError(f"{model['path']}: the output is the same for different inputs")
    for name in against:
        if (far := model["contenders"][name]["difference"]) > tolerance:
            raise LaminaError(
                f"{model['path']}: outputs differ from those of {name} by {far:.1e} of the "
                f"largest value, more than {tolerance:.1e}"
            )
