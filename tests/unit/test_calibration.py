"""Histograms that grow, the ranges that methods cut out of them, scales, and what is kept."""

from pathlib import Path

import numpy as np
import pytest

from lamina.errors import LaminaError
from lamina.passes.int8._scales import (
    Scale,
    fit_bias,
    meant,
    rounded_bias,
    rounded_weights,
    scale_of,
    weight_scales,
)
from lamina.tools.quantize import collect
from lamina.tools.quantize.collect import State
from lamina.tools.quantize.histogram import HALF, SMALLEST, Histogram
from lamina.tools.quantize.methods import range_of

U8, S8 = np.dtype(np.uint8), np.dtype(np.int8)


def histogram(*arrays: np.ndarray) -> Histogram:
    h = Histogram.empty()
    for x in arrays:
        h = h.added(np.asarray(x, np.float32))
    return h


def same(a: Histogram, b: Histogram) -> bool:
    counts = np.array_equal(a.counts, b.counts)
    return counts and (a.exponent, a.low, a.high) == (b.exponent, b.low, b.high)


# -- histograms


@pytest.mark.parametrize("seed", range(4))
def test_histogram_does_not_depend_on_the_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.integers(-12, 12, 6)
    parts = [(rng.standard_normal(100) * s).astype(np.float32) for s in sizes]
    whole = histogram(np.concatenate(parts))
    assert same(histogram(*parts), whole)
    assert same(histogram(*reversed(parts)), whole)
    assert whole.counts.sum() == 600


def test_bins_hold_what_they_say() -> None:
    x = np.array([-3.0, -0.75, 0.75, 0.75, 2.99, 3.0], np.float32)
    h = histogram(x)
    found = np.repeat((np.flatnonzero(h.counts) - HALF) * h.width, h.counts[h.counts > 0])
    assert np.all(found <= np.sort(x))
    assert np.all(np.sort(x) < found + h.width)
    assert HALF // 2 * h.width <= 3 < HALF * h.width


def test_zeros_are_in_no_bin() -> None:
    h = histogram(np.array([0.0, -0.0, 1.0, 0.0]))
    assert (h.counts.sum(), h.low, h.high) == (1, 0, 1)


def test_power_of_two_does_not_leave_the_last_bin() -> None:
    for x in (1.0, -1.0, 2.0**20, -(2.0**-20), 3.4e38, 1e-45):
        h = histogram(np.array([x]))
        assert h.counts.sum() == 1
        assert h.exponent >= SMALLEST


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_histogram_refuses_what_is_not_finite(x: float) -> None:
    with pytest.raises(ValueError, match="an infinite number or NaN"):
        histogram(np.array([1.0, x]))


def test_nothing_added_changes_nothing() -> None:
    h = histogram(np.array([1.0]))
    assert same(h, h.added(np.zeros((0, 3), np.float32)))


# -- ranges


def test_minmax_is_the_range() -> None:
    assert range_of(histogram(np.array([-1.5, 0, 7.25])), "minmax") == (-1.5, 7.25)


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
def test_tensors_of_zeros_and_of_nothing_have_the_range_0(method: str) -> None:
    assert range_of(histogram(np.zeros(5)), method, 99.0) == (0, 0)
    assert range_of(Histogram.empty(), method, 99.0) == (0, 0)


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
@pytest.mark.parametrize("value", [3.0, -3.0])
def test_constant_tensor_has_a_range_that_holds_it(method: str, value: float) -> None:
    low, high = range_of(histogram(np.full(100, value)), method, 99.0)
    assert low <= value <= high


def test_percentile_cuts_both_ends() -> None:
    x = np.arange(-10_000, 10_000, dtype=np.float32)
    low, high = range_of(histogram(x), "percentile", 90.0)
    assert low == pytest.approx(-9000, abs=20)
    assert high == pytest.approx(9000, abs=20)
    assert range_of(histogram(x), "percentile", 100.0) == (-10_000, 9999)


def test_entropy_cuts_off_a_lonely_outlier_and_nothing_of_a_uniform_tensor() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(100_000).astype(np.float32)
    low, high = range_of(histogram(x, np.array([100.0])), "entropy")
    assert 2 < high < 30
    assert x.min() <= low < -2
    uniform = rng.uniform(0, 1, 100_000).astype(np.float32)
    assert range_of(histogram(uniform), "entropy")[1] > 0.98


def test_methods_differ_where_there_are_outliers() -> None:
    x = np.random.default_rng(1).standard_cauchy(50_000).astype(np.float32)
    found = {m: range_of(histogram(x), m, 99.0) for m in ("minmax", "percentile", "entropy")}
    assert len(set(found.values())) == 3


# -- scales


@pytest.mark.parametrize("dtype", [U8, S8])
@pytest.mark.parametrize("ends", [(-1.0, 3.0), (0.5, 2.0), (-4.0, -1.0), (-1e-3, 1e3)])
def test_scale_covers_the_range_and_holds_0(dtype: np.dtype, ends: tuple[float, float]) -> None:
    s = scale_of(ends, dtype)
    low, high = (steps * float(s.scale) for steps in s.steps())
    half = float(s.scale) * 0.5001
    assert low <= min(ends[0], 0) + half
    assert high >= max(ends[1], 0) - half
    assert np.iinfo(dtype).min <= s.zero_point <= np.iinfo(dtype).max


@pytest.mark.parametrize("dtype", [U8, S8])
@pytest.mark.parametrize("ends", [(0.0, 0.0), (0.0, 1e-42)])
def test_range_of_nothing_has_the_scale_1(dtype: np.dtype, ends: tuple[float, float]) -> None:
    assert scale_of(ends, dtype) == Scale(np.float32(1), 0, dtype)


def test_weights_have_a_scale_for_each_channel_and_1_where_all_are_0() -> None:
    w = np.array([[1.0, -2.0], [0.0, 0.0], [127.0, 5.0]], np.float32)
    scales = weight_scales(w, 0, 127)
    assert np.allclose(scales, [2 / 127, 1, 1])
    q = rounded_weights(w, 0, scales, 127)
    assert q.tolist() == [[64, -127], [0, 0], [127, 5]]
    assert np.abs(meant(q, 0, scales) - w).max() <= 1 / 127


@pytest.mark.parametrize("limit", [127, 64])
@pytest.mark.parametrize("axis", [0, 1])
def test_no_weight_is_beyond_the_limit(limit: int, axis: int) -> None:
    w = np.random.default_rng(limit).standard_normal((5, 7)).astype(np.float32)
    q = rounded_weights(w, axis, weight_scales(w, axis, limit), limit)
    assert np.abs(q.astype(int)).max(axis=1 - axis).tolist() == [limit] * w.shape[axis]


def test_scale_of_weights_grows_where_the_bias_would_not_fit() -> None:
    w = np.array([[1e-9], [1.0]], np.float32)
    bias = np.array([100.0, 100.0], np.float32)
    scales = fit_bias(weight_scales(w, 0, 127), w, 0, bias, 0.01)
    q = rounded_bias(bias, np.float32(0.01) * scales)
    assert np.abs(q * (0.01 * scales.astype(np.float64)) - bias).max() < 1e-3
    assert abs(int(q[0])) <= 1 << 30
    assert scales[1] == np.float32(1 / 127)


def test_channel_without_weights_keeps_its_bias() -> None:
    w, bias = np.zeros((2, 3), np.float32), np.array([0.001, 0.0], np.float32)
    scales = fit_bias(weight_scales(w, 0, 127), w, 0, bias, 50.0)
    q = rounded_bias(bias, np.float32(50) * scales)
    assert np.allclose(q * (np.float32(50) * scales), bias, rtol=1e-5)
    assert scales[1] == 1


# -- what is kept


def state() -> State:
    h = {"a": histogram(np.arange(9.0)), "b": histogram(np.array([-1.0]))}
    return State(3, h)


def test_state_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.npz"
    collect.save(path, state())
    found = collect.load(path, ["a", "b"], 5)
    assert found.done == 3
    assert all(same(found.histograms[n], h) for n, h in state().histograms.items())


@pytest.mark.parametrize("keep", [0, 10, 300, -1])
def test_cut_off_state_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "state.npz"
    collect.save(path, state())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(LaminaError, match="is damaged; delete it, or collect anew with --again"):
        collect.load(path, ["a", "b"], 5)


def test_state_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    collect.save(path, state())
    for tensors, samples in ((["a"], 5), (["a", "c"], 5), (["a", "b"], 2)):
        with pytest.raises(LaminaError, match="is damaged"):
            collect.load(path, tensors, samples)


def test_state_that_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    collect.save(tmp_path / "file" / "state.npz", state())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
