"""What ops should take: where their operands lie, and what memory they wait for."""

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.dialects.func import FuncOp

from lamina.backends.machine import Machine, describe
from lamina.dialects import expr
from lamina.dialects.te import Axis
from lamina.passes.te._candidates_nest import Nest
from lamina.passes.te._cost import candidates, quick_seconds, seconds
from lamina.passes.te._homes import Home, homes
from lamina.passes.te._nest_of import Operand, nest_from, nest_of
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass
from lamina.passes.te.te_simplify import TeSimplifyPass
from tests.unit.te_formulas import only_compute, parse

TARGETS = ["cpu:skylake-avx512", "cpu:haswell", "cpu:x86-64", "cpu:znver4", "opencl:portable"]
ZEN5 = describe("cpu:znver5")
HOMES: tuple[Home, ...] = ("l2", "l3", "dram")


def contraction(ci: int, co: int, n: int, k: int = 3) -> ModuleOp:
    x, w = f"{ci // 16}x{n + k - 1}x{n + k - 1}x16", f"{co // 16}x{ci // 16}x{k}x{k}x16x16"
    y = f"{co // 16}x{n}x{n}x16"
    module = parse(f"""
    func.func @f(%x: memref<{x}xf32>, %w: memref<{w}xf32>, %y: memref<{y}xf32>) {{
      te.compute axes(o: {co}, h: {n}, v: {n}, reduce i: {ci}, reduce p: {k}, reduce q: {k})
      ins(%x[i floordiv 16, h + p, v + q, i mod 16],
          %w[o floordiv 16, i floordiv 16, p, q, i mod 16, o mod 16])
      out(%y[o floordiv 16, h, v, o mod 16]) init 0.0 : f32
      : memref<{x}xf32>, memref<{w}xf32>, memref<{y}xf32> (%a: f32, %b: f32, %acc: f32) {{
        %s = math.fma %a, %b, %acc : f32
        te.yield %s : f32
      }}
      func.return
    }}""")
    TeSimplifyPass().apply(Context(), module)
    return module


def peak_seconds(machine: Machine, operations: float) -> float:
    return machine.seconds(operations / machine.rates.flops_per_cycle / machine.units)


@pytest.mark.parametrize("target", TARGETS)
def test_contraction_in_cache_takes_little_longer_than_its_arithmetic(target: str) -> None:
    machine = describe(target)
    least = peak_seconds(machine, 2 * 64 * 64 * 9 * 28 * 28)
    assert least <= seconds(only_compute(contraction(64, 64, 28)), machine) < 1.4 * least


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("sizes", [(64, 64, 28), (32, 96, 7), (16, 16, 113), (512, 48, 14, 1)])
def test_quick_estimate_is_near_the_full_one(target: str, sizes: tuple[int, ...]) -> None:
    op, machine = only_compute(contraction(*sizes)), describe(target)
    nest = nest_of(op)
    assert nest is not None
    assert 0.8 < quick_seconds(nest, machine) / seconds(op, machine) < 1.35


def test_nest_of_an_op_that_nobody_built_is_the_same() -> None:
    op = only_compute(contraction(64, 32, 14))

    o, h, v, i, p, q = map(expr.var, "ohvipq")
    io, ii, oo, oi = (expr.div(k, e, 16) for e in (i, o) for k in ("floordiv", "mod"))
    built = nest_from(
        op.axes.data,
        [
            Operand("input", (4, 16, 16, 16), [io, h + p, v + q, ii]),
            Operand("input", (2, 4, 3, 3, 16, 16), [oo, io, p, q, ii, oi]),
            Operand("output", (2, 14, 14, 16), [oo, h, v, oi]),
        ],
    )
    assert quick_seconds(built, ZEN5) == quick_seconds(_nest(contraction(64, 32, 14)), ZEN5)


def _nest(module: ModuleOp) -> Nest:
    nest = nest_of(only_compute(module))
    assert nest is not None
    return nest


def copy_of(n: int, home: Home) -> Nest:
    axes = [Axis("i", n // 64), Axis("j", 64)]
    index = [expr.var("i"), expr.var("j")]
    shape = (n // 64, 64)
    return nest_from(
        axes,
        [
            Operand("input", shape, index, home=home),
            Operand("output", shape, index, home="l3" if home == "l3" else "l2"),
        ],
        body_ops=0,
    )


def test_copy_takes_as_long_as_where_it_reads() -> None:
    n = 1 << 20
    l2, l3, dram = (quick_seconds(copy_of(n, home), ZEN5) for home in HOMES)
    assert l2 < l3 < dram
    least = ZEN5.seconds(4 * n / ZEN5.rates.dram)
    assert least <= dram < 1.15 * least


def test_slower_memory_makes_what_waits_for_it_slower() -> None:
    slow = describe("cpu:skylake-avx512")
    nest = copy_of(1 << 20, "dram")
    assert quick_seconds(nest, slow) > 2 * quick_seconds(nest, ZEN5)


def test_best_candidate_comes_first_and_all_differ() -> None:
    found = candidates(only_compute(contraction(64, 64, 28)), ZEN5, most=8)
    assert len(found) == 8
    assert len({c.schedule for c in found}) == 8
    assert found[0] == candidates(only_compute(contraction(64, 64, 28)), ZEN5)[0]
    assert max(c.seconds for c in found) < 2 * found[0].seconds


NETWORK = """
func.func @main(
    %x: memref<{n}xf32>, %w: memref<{w}xf32>, %y: memref<{n}xf32>, %arena: memref<{a}xi8>) {{
  %0 = arith.constant 0 : index
  %1 = arith.constant {bytes} : index
  %b = memref.view %arena[%0][] : memref<{a}xi8> to memref<{n}xf32>
  %c = memref.view %arena[%1][] : memref<{a}xi8> to memref<{n}xf32>
  func.call @f(%x, %b) : (memref<{n}xf32>, memref<{n}xf32>) -> ()
  func.call @g(%b, %w, %c) : (memref<{n}xf32>, memref<{w}xf32>, memref<{n}xf32>) -> ()
  func.call @f(%c, %y) : (memref<{n}xf32>, memref<{n}xf32>) -> ()
  func.return
}}
func.func private @f(%x: memref<{n}xf32>, %y: memref<{n}xf32>) -> ()
func.func private @g(%x: memref<{n}xf32>, %w: memref<{w}xf32>, %y: memref<{n}xf32>) -> ()
"""


def network(n: int, w: int) -> ModuleOp:
    return parse(NETWORK.format(n=n, w=w, a=8 * n, bytes=4 * n))


def test_weights_that_fill_the_caches_come_from_memory() -> None:
    assert homes(network(4096, 16 << 20), ZEN5)["g"] == ["l2", "dram", "l2"]


def test_small_network_stays_in_the_second_cache() -> None:
    assert homes(network(4096, 4096), ZEN5) == {"f": ["l2", "l2"], "g": ["l2"] * 3}


def test_what_does_not_fit_the_second_cache_is_in_the_third() -> None:
    found = homes(network(1 << 19, 16), ZEN5)
    assert found["g"] == ["l3", "l3", "l3"]


def test_parts_of_one_buffer_are_told_apart() -> None:
    """@g's result is not what @f wrote beside it; it is what @f read a round ago."""
    found = homes(network(5 << 20, 16), ZEN5)  # 20 MB each, of 32
    assert found["g"] == ["l3", "dram", "dram"]


def test_parts_of_a_concat_are_told_apart() -> None:
    """The same, where the arena's halves are parts of one buffer of floats."""
    parts = {
        f"memref.view %arena[%{k}][] : memref<{{a}}xi8> to memref<{{n}}xf32>": (
            f"memref.subview %both[{at}] [{{n}}] [1] : memref<{{m}}xf32> to memref<{{n}}xf32>"
        )
        for k, at in ((0, "0"), (1, "{n}"))
    }
    text = NETWORK.replace("%arena: memref<{a}xi8>", "%both: memref<{m}xf32>")
    for view, part in parts.items():
        assert view in text
        text = text.replace(view, part)
    n = 5 << 20
    found = homes(parse(text.format(n=n, w=16, m=2 * n, bytes=4 * n)), ZEN5)
    assert found == homes(network(n, 16), ZEN5)


def noted(module: ModuleOp, target: str = "cpu:znver5") -> float:
    TeChooseSchedulesPass(target=target).apply(Context(), module)
    (f,) = [f for f in module.ops if isinstance(f, FuncOp) and f.body.blocks]
    value = f.attributes["lamina.seconds"]
    assert isinstance(value, FloatAttr)
    return value.value.data


def scaled(count: int, around: str = "", end: str = "") -> ModuleOp:
    at, row = ("at(k = %k)", "k") if around else ("", "0")
    op = f"""te.compute {at} axes(i: 4096) ins(%x[{row}, i]) out(%y[{row}, i]) init 0.0 : f32
      : memref<64x4096xf32>, memref<64x4096xf32> (%a: f32, %acc: f32) {{
        %s = arith.addf %a, %a : f32
        te.yield %s : f32
      }}"""
    return parse(f"""
    func.func @f(%x: memref<64x4096xf32>, %y: memref<64x4096xf32>) {{
      {around} {op * count} {end}
      func.return
    }}""")


def test_ops_of_a_kernel_add_up() -> None:
    one, three = noted(scaled(1)), noted(scaled(3))
    assert 1.9 * one < three < 3 * one  # the second and third find it in the cache


def test_op_in_a_loop_counts_each_time() -> None:
    looped = noted(scaled(1, "loop.for %k < 64 {", "}"))
    assert looped == pytest.approx(64 * noted(scaled(1)), rel=0.02)


def test_op_with_a_schedule_is_predicted_too() -> None:
    module = contraction(64, 64, 28)
    plain = noted(contraction(64, 64, 28))
    only_compute(module).schedule = candidates(only_compute(module), ZEN5)[0].schedule
    assert noted(module) == plain
