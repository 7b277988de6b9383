"""Which tensors get 8 bits and which layers stay float, on networks of a few steps."""

from collections.abc import Sequence

import pytest

from lamina.passes.int8._rules import KINDS, Plan, Rules, Step, plan, unmatched


def chain(*kinds: str) -> list[Step]:
    """Steps one after the other: `s0` reads `x` and writes `0`, `s1` reads `0`, ..."""
    tensors = ["x", *(str(k) for k in range(len(kinds)))]
    return [Step(f"s{k}", kind, (tensors[k],), (str(k),)) for k, kind in enumerate(kinds)]


def planned(steps: Sequence[Step], rules: Rules | None = None) -> Plan:
    return plan(steps, {steps[-1].result}, rules or Rules())


def test_first_convolution_and_last_layer_stay_float() -> None:
    found = planned(chain("conv", "clamp", "conv", "clamp", "conv", "dense"))
    assert list(found.layers) == ["2", "4"]
    assert found.kept == {"s0": "first convolution", "s5": "last layer"}
    assert set(found.tensors) == {"1", "3"}


def test_whole_network_is_quantized_if_wanted() -> None:
    found = planned(chain("conv", "clamp", "dense"), Rules(whole=True))
    assert list(found.layers) == ["0", "2"]
    assert (found.kept, set(found.tensors)) == ({}, {"x", "1"})


def test_every_convolution_that_no_layer_precedes_is_a_first_one() -> None:
    steps = [
        Step("a", "conv", ("x",), ("a",)),
        Step("b", "conv", ("x",), ("b",)),
        Step("c", "conv", ("a",), ("c",)),
        Step("d", "conv", ("b",), ("d",)),
        Step("e", "add", ("c", "d"), ("e",)),
        Step("f", "dense", ("e",), ("f",)),
        Step("g", "dense", ("e",), ("g",)),
    ]
    found = plan(steps, {"f", "g"}, Rules())
    assert set(found.kept) == {"a", "b", "f", "g"}
    assert set(found.tensors) == {"a", "b"}, "no 8-bit layer follows the sum"


def test_layers_stay_float_by_name_pattern_and_kind() -> None:
    steps = chain("conv", "conv", "matmul", "dense", "conv")
    found = planned(steps, Rules(tuple(k for k in KINDS if k != "matmul"), ("s[3]",)))
    assert list(found.layers) == ["1"]
    assert found.kept["s2"] == "matmul is not among the kinds"
    assert found.kept["s3"] == "by name"


def test_patterns_that_match_nothing_are_found() -> None:
    assert unmatched(chain("conv", "max"), Rules(keep_float=("s?", "t*", "s1"))) == ["t*"]


def test_refused_layer_stays_float_with_its_reason() -> None:
    steps = [*chain("conv", "conv"), Step("r", "conv", ("1", "w"), ("2",), "its weights are odd")]
    found = planned([*steps, Step("end", "dense", ("2",), ("3",))])
    assert found.kept["r"] == "its weights are odd"
    assert set(found.tensors) == {"0"}


def test_clamp_that_alone_reads_a_tensor_is_part_of_the_step_before() -> None:
    steps = [
        *chain("conv", "conv", "clamp"),
        Step("sum", "add", ("2", "0"), ("s",)),
        Step("relu", "clamp", ("s",), ("t",)),
        Step("c", "conv", ("t",), ("c",)),
        Step("end", "dense", ("c",), ("end",)),
    ]
    found = planned(steps)
    assert set(found.tensors) == {"0", "2", "t"}


def test_clamp_beside_other_readers_is_not() -> None:
    steps = [
        Step("sum", "add", ("x", "y"), ("s",)),
        Step("relu", "clamp", ("s",), ("t",)),
        Step("more", "add", ("s", "t"), ("u",)),
        Step("c", "conv", ("u",), ("c",)),
    ]
    assert set(plan(steps, {"c"}, Rules(whole=True)).tensors) == {"x", "y", "s", "t", "u"}


def test_output_of_the_network_ends_a_step() -> None:
    steps = [
        Step("sum", "add", ("x", "y"), ("s",)),
        Step("relu", "clamp", ("s",), ("t",)),
        Step("c", "conv", ("t",), ("c",)),
    ]
    found = plan(steps, {"s", "c"}, Rules(whole=True))
    assert {"s", "t"} <= set(found.tensors)


def test_what_moves_elements_shares_a_scale() -> None:
    steps = [
        Step("pool", "max", ("x",), ("p",)),
        Step("cat", "concat", ("p", "y"), ("c",)),
        Step("flat", "move", ("c",), ("f",)),
        Step("mean", "average", ("z",), ("m",)),
        Step("d", "matmul", ("f", "m"), ("d",)),
    ]
    found = plan(steps, {"d"}, Rules(whole=True))
    assert len({found.tensors[name] for name in ("x", "p", "y", "c", "f")}) == 1
    assert found.observed[found.tensors["c"]] == ("x", "y")
    assert found.tensors["m"] == "m"
    assert found.tensors["z"] == "z"


def test_concat_that_only_float_steps_read_has_8_bits_if_a_layer_follows() -> None:
    steps = [
        Step("cat", "concat", ("x", "y"), ("c",)),
        Step("norm", "float", ("c",), ("n",)),
        Step("relu", "clamp", ("n",), ("r",)),
        Step("conv", "conv", ("r",), ("o",)),
    ]
    assert set(plan(steps, {"o"}, Rules(whole=True)).tensors) == {"x", "y", "c", "r"}


def test_what_follows_the_last_layer_of_8_bits_stays_float() -> None:
    steps = chain("conv", "conv", "add", "max", "average", "dense")
    assert set(planned(steps).tensors) == {"0"}


def test_step_of_a_kind_that_stays_float_is_computed_in_float() -> None:
    rules = Rules(tuple(k for k in KINDS if k != "add"), whole=True)
    steps = [Step("sum", "add", ("x", "y"), ("s",)), Step("c", "conv", ("s",), ("c",))]
    assert set(plan(steps, {"c"}, rules).tensors) == {"s"}


@pytest.mark.parametrize("kinds", [(), ("add", "max")])
def test_network_without_layers_has_no_tensors(kinds: tuple[str, ...]) -> None:
    found = planned(chain("float", "max", "clamp", "move"), Rules(kinds, whole=True))
    assert (found.layers, found.tensors, found.kept) == ({}, {}, {})
    assert planned(chain("conv", "conv"), Rules(kinds)).layers == {}
