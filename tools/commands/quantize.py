"""`lamina quantize`: a float ONNX model and samples of its inputs to a model of 8-bit integers."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from google.protobuf.message import EncodeError
from onnx import ModelProto

from lamina.errors import LaminaError
from lamina.passes.int8._ranges import Ranges, read_ranges
from lamina.passes.int8._rules import KINDS, Rules
from lamina.tools import _files
from lamina.tools.quantize.accuracy import Accuracy
from lamina.tools.quantize.quantizer import Quantizer, Settings
from lamina.tools.quantize.samples import Samples


def run(args: Namespace) -> None:
    """Calibrate, write the model, and say what it costs."""
    _check(args)
    rules = Rules(tuple(args.kinds or KINDS), tuple(args.keep_float), args.whole)
    seven = args.seven_bit
    settings = Settings(args.method, args.percentile, args.activations, seven, rules)
    quantizer = Quantizer(args.model, settings, dict(args.shape))
    samples = quantizer.samples(args.data) if args.data else None
    print(quantizer.summary(), flush=True)
    if args.ranges:
        ranges = read_ranges(args.ranges, quantizer.observed)
    else:
        assert samples is not None
        ranges = quantizer.calibrated(samples, again=args.again)
        print(_calibration(args, samples, quantizer.resumed), flush=True)
    if args.save_ranges:
        _write_ranges(args.save_ranges, ranges)
    if args.output:
        _write(quantizer.written(ranges, simulate=args.simulate), args.output)
    if args.report and samples is not None:
        print(_report(quantizer.accuracy(ranges, samples)))


def _check(args: Namespace) -> None:
    """Refuse what cannot work before any work is done."""
    _files.require_readable(args.model)
    if bool(args.data) == bool(args.ranges) and not args.report:
        raise LaminaError("quantize needs either --data or --ranges; see 'lamina quantize --help'")
    if args.report and not args.data:
        raise LaminaError("--report needs --data, on which networks are compared")
    if not (args.output or args.report or args.save_ranges):
        raise LaminaError("quantize needs -o FILE for the model, --report or --save-ranges FILE")
    if args.data and not Path(args.data).is_dir():
        _files.require_readable(args.data)
    if args.output and args.save_ranges and _same(args.output, args.save_ranges):
        raise LaminaError(f"cannot write '{args.save_ranges}' twice: -o is that file, too")
    for written in filter(None, (args.output, args.save_ranges)):
        for read in filter(None, (args.model, args.data, args.ranges)):
            _files.require_different(written, read)
        _files.require_writable(written)


def _same(a: str, b: str) -> bool:
    return Path(a).resolve() == Path(b).resolve() and not _files.is_device(Path(a))


def _write(model: ModelProto, file: str) -> None:
    try:
        data = model.SerializeToString()
    except (EncodeError, ValueError) as e:
        raise LaminaError(f"cannot write '{file}': an ONNX file has 2 GB at most") from e
    with _files.whole(file) as path:
        path.write_bytes(data)


def _write_ranges(file: str, ranges: Ranges) -> None:
    """One tensor a line, for people to read and change."""
    lines = ",\n".join(f"  {json.dumps(n)}: {json.dumps(r)}" for n, r in ranges.items())
    with _files.whole(file) as path:
        path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _calibration(args: Namespace, samples: Samples, resumed: int) -> str:
    what = "1 sample" if len(samples) == 1 else f"{len(samples)} samples"
    text = f"calibration: {args.method} on {what}"
    return f"{text}, {resumed} of them collected before" if resumed else text


def _report(found: Accuracy) -> str:
    outputs = [f"output '{name}': {x}, cosine {x.cosine:.5f}" for name, x in found.outputs.items()]
    return "\n".join([found.table(), *outputs])
