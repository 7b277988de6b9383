"""Chains of tensor expressions cut into blocks compute what they computed, in less memory."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import PassFailedException

from lamina import interpreters
from lamina.backends.cpu.build import native
from lamina.backends.machine import describe
from lamina.dialects.loop import ForOp
from lamina.dialects.te import ComputeOp, memref_type
from lamina.options import Options
from lamina.passes import pipelines
from lamina.passes.te import te_block_together
from lamina.passes.te._together import Shared, Stage, shared_axes
from lamina.passes.te.te_block_together import Blocks, TeBlockTogetherPass, make
from lamina.passes.te.te_contract_buffers import TeContractBuffersPass
from lamina.passes.te.te_fuse_loops import TeFuseLoopsPass
from tests.unit.te_formulas import parse

TARGETS = ["cpu", "cpu:haswell", "cpu:nehalem"]
SUM = "{ %s = arith.addf %acc, %a : f32  te.yield %s : f32 }"
MAX = "{ %s = arith.maximumf %acc, %a : f32  te.yield %s : f32 }"
MAC = "{ %p = arith.mulf %a, %b : f32  %s = arith.addf %acc, %p : f32  te.yield %s : f32 }"


def chain(c: int, o: int, h: int, w: int, window: int, block: int) -> str:
    """Twice x; a contraction over channels; sums over windows that do not meet; their columns."""
    x, t = f"memref<{c}x{h}x{w}xf32>", f"memref<{c // block}x{h}x{w}x{block}xf32>"
    k, u = f"memref<{c}x{o}xf32>", f"memref<{o // block}x{h}x{w}x{block}xf32>"
    ph, pw = h // window, w // window
    v, y = f"memref<{o}x{ph}x{pw}xf32>", f"memref<{o}x{ph}x{pw}xf32>"
    blocked = f"c floordiv {block}, h, w, c mod {block}"
    out = f"o floordiv {block}, h, w, o mod {block}"
    at = f"o floordiv {block}, h * {window} + p, w * {window} + q, o mod {block}"
    return f"""func.func @f(%x: {x}, %k: {k}, %y: {y}) {{
      %t = memref.alloc() : {t}
      te.compute axes(c: {c}, h: {h}, w: {w}) ins(%x[c, h, w]) out(%t[{blocked}]) init 0.0 : f32
        : {x}, {t} (%a: f32, %acc: f32) {{ %s = arith.addf %a, %a : f32  te.yield %s : f32 }}
      %u = memref.alloc() : {u}
      te.compute axes(o: {o}, h: {h}, w: {w}, reduce c: {c}) ins(%t[{blocked}], %k[c, o])
        out(%u[{out}]) init 0.0 : f32 : {t}, {k}, {u} (%a: f32, %b: f32, %acc: f32) {MAC}
      %v = memref.alloc() : {v}
      te.compute axes(o: {o}, h: {ph}, w: {pw}, reduce p: {window}, reduce q: {window})
        ins(%u[{at}]) out(%v[o, h, w]) init 0.0 : f32 : {u}, {v} (%a: f32, %acc: f32) {SUM}
      te.compute axes(o: {o}, h: {ph}, w: {pw}, reduce j: {pw}) ins(%v[o, h, j])
        out(%y[o, h, w]) init 0.0 : f32 : {v}, {y} (%a: f32, %acc: f32) {MAX}
      func.return
    }}"""


def inputs_of(text: str) -> list[np.ndarray]:
    """Small integers, whose sums and products are exact in every order."""
    rng = np.random.default_rng(0)
    f = next(o for o in parse(text).ops if isinstance(o, func.FuncOp))
    shapes = [t.get_shape() for t in f.function_type.inputs.data[:-1]]  # pyright: ignore
    return [rng.integers(-3, 4, shape).astype(np.float32) for shape in shapes]


def in_one_loop(module: ModuleOp) -> None:
    for p in (TeFuseLoopsPass("block"), TeContractBuffersPass()):
        p.apply(Context(), module)
        module.verify()


def run_natively(
    module: ModuleOp, target: str, inputs: list[np.ndarray], threads: int = 1
) -> np.ndarray:
    passes = list(pipelines.default(target, Options(threads)))
    for p in passes[[p.name for p in passes].index("plan-memory") :]:
        p.apply(Context(), module)
    f = next(o for o in module.ops if isinstance(o, func.FuncOp) and o.sym_name.data == "f")
    shapes = [t.get_shape() for t in f.function_type.inputs.data]  # pyright: ignore
    more = [np.full(shape, np.nan, np.float32) for shape in shapes[len(inputs) :]]
    native(module, describe(target))["f"](*inputs, *more)
    return more[-1]


def sizes_of_scratch(module: ModuleOp) -> list[int]:
    allocs = [o for o in module.walk() if isinstance(o, memref.AllocOp)]
    return [prod(memref_type(o.memref).get_shape()) for o in allocs]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([(2, 1), (3, 1), (8, 4), (16, 16), (32, 16)]),
    st.sampled_from([1, 2, 3]),
    st.integers(3, 11),
    st.integers(3, 11),
    st.integers(1, 3),
    st.data(),
)
def test_any_blocks_of_any_chain_compute_the_same(
    channels: tuple[int, int], times: int, h: int, w: int, window: int, data: st.DataObject
) -> None:
    c, block = channels
    text = chain(c, c * times, h, w, min(window, h, w), block)
    inputs = inputs_of(text)
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    module = parse(text)
    ops = [o for o in module.walk() if isinstance(o, ComputeOp)]
    planned: list[Blocks] = []
    stages = [Stage(o, o.extents) for o in ops]
    first, last = 0, len(ops)
    while last - first > 1 and data.draw(st.booleans()):
        cut: list[tuple[Shared, int]] = []
        for shared in shared_axes(stages[first:last]):
            if shared.steps > 1 and data.draw(st.booleans()):
                cut.append((shared, data.draw(st.integers(1, shared.steps - 1))))
        for shared, size in cut:
            inside = zip(stages[first:last], shared.cuts, strict=True)
            stages[first:last] = [s.inside(at, size) for s, at in inside]
        share = data.draw(st.integers(0, cut[0][0].steps - 1)) if cut and not planned else 0
        planned.append(Blocks(stages[first:last], cut, share))
        first = data.draw(st.integers(first, last - 1))
        last = data.draw(st.integers(first + 1, last))
    make(planned)
    in_one_loop(module)
    (found,) = interpreters.call(module, "f", inputs)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(run_natively(module, "cpu", inputs, threads=4), wanted)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "sizes", [(64, 64, 57, 55, 2, 16), (32, 96, 40, 33, 3, 16), (48, 24, 64, 64, 1, 8)]
)
def test_chosen_blocks_shrink_the_scratch_and_compute_the_same(
    sizes: tuple[int, ...], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = chain(*sizes)
    inputs = inputs_of(text)
    small = replace(describe(target), l1=8 << 10, l2=128 << 10)
    monkeypatch.setattr(te_block_together, "machine_of", lambda target, by: small)
    module = parse(text)
    TeBlockTogetherPass(target=target).apply(Context(), module)
    in_one_loop(module)
    assert sum(sizes_of_scratch(module)) < sum(sizes_of_scratch(parse(text))) / 3
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    np.testing.assert_array_equal(run_natively(module, target, inputs), wanted)


@pytest.mark.parametrize("threads", [2, 3])
def test_steps_that_run_at_once_have_scratch_of_their_own(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = chain(64, 64, 57, 55, 2, 16)
    inputs = inputs_of(text)
    small = replace(describe("cpu"), l1=8 << 10, l2=128 << 10)
    monkeypatch.setattr(te_block_together, "machine_of", lambda target, by: small)
    module = parse(text)
    TeBlockTogetherPass(threads=threads).apply(Context(), module)
    in_one_loop(module)
    (nest,) = [o for o in module.walk() if isinstance(o, ForOp) and o.mapping.data == "parallel"]
    assert nest.extents.get_values() == (threads,)
    allocs = [o for o in module.walk() if isinstance(o, memref.AllocOp)]
    assert [memref_type(o.memref).get_shape()[0] for o in allocs] == [threads] * len(allocs)
    (wanted,) = interpreters.call(parse(text), "f", inputs)
    (found,) = interpreters.call(module, "f", inputs)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(run_natively(module, "cpu", inputs, threads), wanted)


def test_no_threads_are_refused() -> None:
    with pytest.raises(PassFailedException, match="needs at least 1 thread, got 0"):
        TeBlockTogetherPass(threads=0).apply(Context(), parse(chain(2, 2, 3, 3, 1, 1)))
