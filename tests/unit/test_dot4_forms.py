"""Which forms of int8.dot4 each machine has, and what the schedules are told of their speed."""

import pytest

from lamina.backends.dot4 import ORDER, best, lanes, per_cycle
from lamina.backends.machine import describe, targets

# the best form that is exact for all numbers, the best one for small ones, and lanes of both
FORMS = {
    "cascadelake": ("vnni", "vnni", 16, 16),
    "znver5": ("vnni", "vnni", 16, 16),
    "alderlake": ("avxvnni", "avxvnni", 8, 8),
    "skylake-avx512": ("madd16", "maddubs", 16, 16),
    "knl": ("madd16", "maddubs", 8, 8),
    "haswell": ("madd16", "maddubs", 8, 8),
    "sandybridge": ("madd16", "maddubs", 4, 4),
    "nehalem": ("madd16", "maddubs", 4, 4),
    "x86-64": ("madd16", "madd16", 4, 4),
}


@pytest.mark.parametrize("cpu", FORMS)
def test_the_best_form_follows_from_the_instructions(cpu: str) -> None:
    machine = describe(f"cpu:{cpu}")
    exact, small = best(machine), best(machine, proven=True)
    assert (exact, small, lanes(machine, exact), lanes(machine, small)) == FORMS[cpu]


@pytest.mark.parametrize("target", targets())
def test_proofs_and_wider_forms_are_never_slower(target: str) -> None:
    machine = describe(target)
    assert 0 < per_cycle(machine) <= per_cycle(machine, proven=True)
    has = [form for form in ORDER if lanes(machine, form)]
    assert ("madd16" in has) == ("generic" in has) == (machine.kind == "cpu")


def test_vnni_takes_a_group_where_a_float_takes_a_multiply_add() -> None:
    machine = describe("cpu:cascadelake")
    assert per_cycle(machine) == machine.rates.flops_per_cycle / 2
