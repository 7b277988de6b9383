"""
Integer convolutions through the real passes, beside the same ones in floats.

The 23 different convolutions of ResNet-50, or 25 of two ResNets, on unsigned bytes and signed
weights, with bias, a scale for each output channel and the rounding back to bytes; their schedules
are those that te-choose-schedules finds. Every result is compared with NumPy, bit for bit. Both
kinds are timed in turns in one process, because clocks change; the best of many calls counts.

    python -m benchmarks.int8_kernels [--target cpu cpu:skylake-avx512] [--block 64] [--only 3x3]
    python -m benchmarks.int8_kernels --threads 2 --check
    python -m benchmarks.int8_kernels --workloads resnets --target cpu cpu:skylake-avx512 --table
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from statistics import geometric_mean, median

import numpy as np

from benchmarks import dot4
from benchmarks.kernels import (
    RESNET50,
    Kernel,
    build,
    convolution,
    copied,
    hot_loop,
    spilled,
    tap,
    timed,
)
from lamina.backends.cpu.thread_pool import ThreadPool
from lamina.backends.dot4 import best, lanes
from lamina.backends.machine import Machine, UnknownTarget, describe
from lamina.interpreters.int8 import requantize

ZERO_POINT = 3
TIMES = 3.0
"""how many times as fast as in floats --check asks for, in the median, where bytes have an
instruction"""

# as RESNET50
RESNETS = (
    *((64, 64, 56, 3, 1), (64, 64, 56, 1, 1), (64, 128, 28, 3, 2), (64, 128, 28, 1, 2)),
    *((128, 128, 28, 3, 1), (128, 256, 14, 3, 2), (128, 256, 14, 1, 2), (256, 256, 14, 3, 1)),
    *((256, 512, 7, 3, 2), (256, 512, 7, 1, 2), (512, 512, 7, 3, 1), (64, 256, 56, 1, 1)),
    *((256, 64, 56, 1, 1), (256, 128, 28, 1, 2), (128, 512, 28, 1, 1), (256, 512, 28, 1, 2)),
    *((512, 128, 28, 1, 1), (512, 256, 14, 1, 2), (256, 1024, 14, 1, 1), (512, 1024, 14, 1, 2)),
    *((1024, 256, 14, 1, 1), (1024, 512, 7, 1, 2), (512, 2048, 7, 1, 1), (1024, 2048, 7, 1, 2)),
    (2048, 512, 7, 1, 1),
)
"""ResNet-18 and ResNet-50 but for the first layer; where images shrink, the first of three
convolutions has the stride, as in the paper"""
WORKLOADS: Mapping[str, Sequence[tuple[int, int, int, int, int]]] = {
    "resnet50": RESNET50,
    "resnets": RESNETS,
}

CALLS = 3
"""of one kernel in a row, so that its data are where they were after the call before"""


@dataclass(frozen=True)
class Result:
    """What one kernel reached."""

    name: str
    seconds: float
    gops: float
    share: float
    """of the peak"""
    times: float
    """how often it runs while the one in floats runs once"""
    equal: bool
    spills: int
    instructions: int
    """that multiply bytes, in the hot loop"""


def integer_convolution(
    ci: int, co: int, n: int, k: int, s: int, block: int, group: int, limit: int = 128
) -> Kernel:
    """
    A convolution of bytes with bias and rescaling; weights are below `limit`, and at least that
    negative. Fewer channels than a block has are padded to groups of 4.
    """
    size = n * s + k - 1
    inner, outer = min(block, -(-ci // 4) * 4), min(block, co)
    group = min(group, co)
    rng = np.random.default_rng(0)
    image = np.zeros((-(-ci // inner) * inner, size, size), np.uint8)
    image[:ci] = rng.integers(0, 256, (ci, size, size))
    weights = np.zeros((co, len(image), k, k), np.int8)
    weights[:, :ci] = rng.integers(-limit, limit, (co, ci, k, k))
    bias = rng.integers(-(10**5), 10**5, co).astype(np.int32)
    scale = (rng.random(co).astype(np.float32) + 0.5) / np.float32(60 * limit * np.sqrt(ci * k * k))
    total = np.zeros((co, n, n))
    for p, q in product(range(k), range(k)):  # sums of doubles are exact here
        seen = tap(image, p, q, n, s).astype(float)
        total += np.einsum("oi,ihw->ohw", weights[:, :, p, q].astype(float), seen, optimize=True)
    sums = total.astype(np.int32) + bias[:, None, None]
    wanted = requantize(sums, scale[:, None, None], ZERO_POINT, np.uint8)
    packed = weights.reshape(co // group, group, -1, inner // 4, 4, k, k)
    return Kernel(
        f"{ci}->{co} {k}x{k} s{s} @{n}",
        integer_text(len(image), co, n, k, s, inner, outer, group, limit),
        (in_blocks(image, inner), packed.transpose(0, 2, 5, 6, 3, 1, 4), bias, scale),
        in_blocks(wanted, outer),
        2 * ci * co * k * k * n * n,
    )


def integer_text(
    ci: int, co: int, n: int, k: int, s: int, inner: int, outer: int, group: int, limit: int
) -> str:
    """The same as a tensor expression: `inner` input and `outer` output channels side by side."""
    size = n * s + k - 1
    step = f" * {s}" if s > 1 else ""
    x = f"memref<{ci // inner}x{size}x{size}x{inner}xui8>"
    w = f"memref<{co // group}x{ci // inner}x{k}x{k}x{inner // 4}x{group}x4xi8>"
    y = f"memref<{co // outer}x{n}x{n}x{outer}xui8>"
    b, f = f"memref<{co}xi32>", f"memref<{co}xf32>"
    inputs = f"ic floordiv {inner}"
    return f"""
    func.func @kernel(%x: {x}, %w: {w}, %bias: {b}, %scale: {f}, %y: {y}) {{
      te.compute
        axes(oc: {co}, oh: {n}, ow: {n}, reduce ic: {ci}, reduce kh: {k}, reduce kw: {k})
        ins(%x[{inputs}, oh{step} + kh, ow{step} + kw, ic mod {inner}],
            %w[oc floordiv {group}, {inputs}, kh, kw, (ic mod {inner}) floordiv 4,
               oc mod {group}, ic mod 4])
        extras(%bias[oc], %scale[oc]) out(%y[oc floordiv {outer}, oh, ow, oc mod {outer}])
        init 0 : i32 attributes {{lamina.abs_b = {limit} : i64}}
        : {x}, {w}, {b}, {f}, {y} (%a: i8, %c: i8, %acc: i32) {{
          %ax = arith.extui %a : i8 to i32
          %cx = arith.extsi %c : i8 to i32
          %p = arith.muli %ax, %cx : i32
          %s = arith.addi %acc, %p : i32
          te.yield %s : i32
        }} epilogue (%v: i32, %d: i32, %f: f32) {{
          %t = arith.addi %v, %d : i32
          %q = int8.requantize %t by %f to <u8, 1.0, {ZERO_POINT}> : i32, f32
          te.yield %q : i8
        }}
      func.return
    }}"""


def in_blocks(image: np.ndarray, block: int) -> np.ndarray:
    """NCHW -> NCHW16c, for blocks of 16"""
    c, h, w = image.shape
    return image.reshape(c // block, block, h, w).transpose(0, 2, 3, 1)


class Peak:
    """GOP/s of the fastest register tile, in the form of products that the weights allow."""

    def __init__(self, machine: Machine, limit: int) -> None:
        form = best(machine, "all" if limit <= 64 else "some")
        width = next(w for w, n in dot4.WIDTHS.items() if n == lanes(machine, form))
        sizes = [s for s in dot4.TILES if s[0] * s[1] < machine.registers]
        tiles = [dot4.build(machine, form, width, *size) for size in sizes]
        self.tile = min(tiles, key=lambda tile: self._seconds(tile) / tile.operations)

    def __call__(self) -> float:
        return self.tile.operations / self._seconds(self.tile) / 1e9

    def _seconds(self, tile: dot4.Tile) -> float:
        times: list[float] = []
        for _ in range(20):
            start = time.perf_counter()
            tile.run()
            times.append(time.perf_counter() - start)
        return min(times)


def measure(
    kernel: Kernel, floats: Kernel, machine: Machine, peak: Peak, seconds: float, threads: int
) -> Result:
    """Compile both, compare with what is wanted, and time them in turns beside the peak."""
    codes = [build(k, machine, threads) for k in (kernel, floats)]
    arrays = [
        [copied(a) for a in (*k.inputs, np.full_like(k.wanted, 77))] for k in (kernel, floats)
    ]
    pointers = [[a.ctypes.data for a in each] for each in arrays]
    codes[0].call(pointers[0])
    equal = np.array_equal(arrays[0][-1], kernel.wanted)
    most, least = peak(), [float("inf")] * 2

    def rounds() -> None:
        end = time.perf_counter() + 2 * seconds
        while time.perf_counter() < end:
            for k in range(2):
                times = [timed(codes[k], pointers[k]) for _ in range(CALLS)]
                least[k] = min(least[k], *times)

    if threads > 1:
        ThreadPool.shared(threads).call(rounds)
    else:
        rounds()
    gops = kernel.operations / least[0] / 1e9
    loop = hot_loop(codes[0].assembly)
    return Result(
        kernel.name,
        least[0],
        gops,
        gops / threads / max(most, peak()),
        least[1] / least[0],
        equal,
        spilled(loop),
        sum("vpdp" in line or "vpmadd" in line for line in loop),
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.int8_kernels", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--target", nargs="+", default=["cpu"])
    parser.add_argument("--block", type=int, default=16, help="channels side by side in images")
    parser.add_argument("--group", type=int, default=32, help="output channels in a weight row")
    parser.add_argument("--limit", type=int, default=128, help="weights are below, up to 128")
    parser.add_argument("--workloads", choices=WORKLOADS, default="resnet50")
    parser.add_argument("--table", action="store_true", help="print a Markdown table at the end")
    parser.add_argument("--only", default="", help="kernels with this in their name")
    parser.add_argument("--seconds", type=float, default=0.1, help="time for each kernel")
    parser.add_argument("--threads", type=int, default=1, help="to run each kernel on")
    parser.add_argument("--check", action="store_true", help="exit 1 if one is wrong or too slow")
    return parser.parse_args()


def report(machine: Machine, peak: Peak, args: argparse.Namespace) -> list[Result]:
    """Measure every kernel asked for, and print a line each."""
    results: list[Result] = []
    for layer in WORKLOADS[args.workloads]:
        kernel = integer_convolution(*layer, args.block, args.group, args.limit)
        if args.only not in kernel.name:
            continue
        floats = convolution(*layer, 32)
        results.append(r := measure(kernel, floats, machine, peak, args.seconds, args.threads))
        print(
            f"{kernel.name:22} {r.gops:7.1f} GOP/s {r.share:6.1%}  {r.times:5.2f} x floats"
            f"  {'equal' if r.equal else 'DIFFERS'}  products {r.instructions:3}"
            f"  spills {r.spills}",
            flush=True,
        )
    return results


def table(every: Mapping[str, Sequence[Result]]) -> str:
    """Times on each target in Markdown, and how many times as fast as in floats."""
    head = ["workload"] + [
        f"{t}: {what}" for t in every for what in ("int8 us", "fp32 us", "times")
    ]
    rows = [head, ["---"] * len(head)]
    for results in zip(*every.values(), strict=True):
        us = [(1e6 * r.seconds, 1e6 * r.seconds * r.times, r.times) for r in results]
        numbers = [f"{a:.1f}|{b:.1f}|{c:.2f}".split("|") for a, b, c in us]
        rows.append([results[0].name, *chain.from_iterable(numbers)])
    means = [["", "", f"{geometric_mean(r.times for r in found):.2f}"] for found in every.values()]
    rows.append(["geometric mean", *chain.from_iterable(means)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def faults(results: Sequence[Result], machine: Machine) -> list[str]:
    """What --check does not accept."""
    found: list[str] = []
    if wrong := sum(not r.equal for r in results):
        found.append(f"{machine.name}: {wrong} kernels differ from NumPy")
    if machine.dot4 and (typical := median(r.times for r in results)) < TIMES:
        found.append(f"{machine.name}: median {typical:.2f} x floats, below {TIMES}")
    return found


def main() -> int:
    """Measure what the command line asks for."""
    args, found, every = arguments(), list[str](), dict[str, list[Result]]()
    gc.disable()  # half the time to compile, and nothing here lives long
    for target in args.target:
        try:
            machine = describe(target)
        except UnknownTarget as e:
            print(e, file=sys.stderr)
            return 1
        peak = Peak(machine, args.limit)
        print(f"{target}, peak {peak():.1f} GOP/s, blocks of {args.block} channels")
        if results := report(machine, peak, args):
            every[target] = results
            times, shares = ([r.times for r in results], [r.share for r in results])
            print(
                f"  median {median(times):.2f} x floats, least {min(times):.2f},"
                f" geometric mean {geometric_mean(times):.2f};"
                f" {median(shares):.1%} of the peak, least {min(shares):.1%}"
            )
            found += faults(results, machine)
    if args.table and every:
        print(f"\n{table(every)}")
    for fault in found if args.check else []:
        print(fault, file=sys.stderr)
    return int(bool(found and args.check))


if __name__ == "__main__":
    sys.exit(main())
