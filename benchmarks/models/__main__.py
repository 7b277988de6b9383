"""Write models as ONNX files."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import onnx

from benchmarks.models import MEASURED, MODELS, build, light, network


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """What the user asked for."""
    parser = argparse.ArgumentParser("python -m benchmarks.models", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all of them if left out")
    parser.add_argument("-o", "--out", type=Path, default=Path("build/models"), metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--opset", type=int, default=17)
    parser.add_argument(
        "--bn-stats",
        action="store_true",
        help="recorded batch-norm statistics where there are some",
    )
    parser.add_argument("--list", action="store_true", help="describe the models, write nothing")
    parser.add_argument(
        "--measured", action="store_true", help="name the models of `lamina bench --all`"
    )
    chosen = parser.parse_args(argv)
    known = [*MODELS, *light.names()]
    if unknown := [name for name in chosen.models if name not in known]:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(known)}")
    chosen.models = chosen.models or list(MODELS)
    return chosen


def describe(name: str, batch: int) -> str:
    """One line on the size of a model."""
    if name not in MODELS:
        return f"{name:20} as the onnx package ships it, with random weights"
    net = network(name, batch=batch)
    parameters = sum(len(weight.raw_data) // 4 for weight in net.weights.values())
    operators = Counter(node.op_type for node in net.nodes)
    counts = ", ".join(f"{n} {op}" for op, n in operators.most_common())
    return f"{name:20} {net.macs / 1e9:6.2f} GMAC {parameters / 1e6:7.2f} M parameters  {counts}"


def built(name: str, chosen: argparse.Namespace) -> onnx.ModelProto:
    """The model called `name` as the user wants it; a light one comes in one size only."""
    if name not in MODELS:
        return light.build(name, chosen.seed)
    options = {"seed": chosen.seed, "batch": chosen.batch, "opset": chosen.opset}
    return build(name, **options, bn_stats=chosen.bn_stats)


def main(argv: Sequence[str] | None = None) -> None:
    """Write or describe each model that was asked for."""
    chosen = arguments(argv)
    if chosen.measured:
        print("\n".join(MEASURED))
        return
    for name in chosen.models:
        if chosen.list:
            print(describe(name, chosen.batch), flush=True)
            continue
        chosen.out.mkdir(parents=True, exist_ok=True)
        path = chosen.out / f"{name}.onnx"
        onnx.save(built(name, chosen), path)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
