"""Which forms of int8.dot4 each machine has, and what the schedules are told of their speed."""

import pytest

from lamina.backends.dot4 import ORDER, best, lanes, per_cycle, saturates
from lamina.backends.machine import describe, targets

# the best form that is exact for all numbers, for small ones and for those that mostly are; lanes
FORMS = {
    "cascadelake": ("vnni", "vnni", "vnni", 16),
    "znver5": ("vnni", "vnni", "vnni", 16),
    "alderlake": ("avxvnni", "avxvnni", "avxvnni", 8),
    "skylake-avx512": ("madd16", "maddubs", "checked", 16),
    "knl": ("madd16", "maddubs", "checked", 8),
    "haswell": ("madd16", "maddubs", "checked", 8),
    "sandybridge": ("madd16", "maddubs", "checked", 4),
    "nehalem": ("madd16", "maddubs", "checked", 4),
    "x86-64": ("madd16", "madd16", "madd16", 4),
}


@pytest.mark.parametrize("cpu", FORMS)
def test_the_best_form_follows_from_the_instructions(cpu: str) -> None:
    machine = describe(f"cpu:{cpu}")
    *forms, count = FORMS[cpu]
    assert [best(machine), best(machine, "all"), best(machine, "most")] == forms
    assert {lanes(machine, str(form)) for form in forms} == {count}
    assert saturates(machine) == ("maddubs" in forms)


@pytest.mark.parametrize("target", targets())
def test_proofs_and_wider_forms_are_never_slower(target: str) -> None:
    machine = describe(target)
    assert 0 < per_cycle(machine) <= per_cycle(machine, "most") <= per_cycle(machine, "all")
    has = [form for form in ORDER if lanes(machine, form)]
    assert ("madd16" in has) == ("generic" in has) == (machine.kind == "cpu")


def test_vnni_takes_a_group_where_a_float_takes_a_multiply_add() -> None:
    machine = describe("cpu:cascadelake")
    assert per_cycle(machine) == machine.rates.flops_per_cycle / 2
