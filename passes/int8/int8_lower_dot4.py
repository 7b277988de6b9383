"""Lower int8.dot4 to what the target has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType, VectorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from lamina.backends.dot4 import ORDER, best, lanes, saturates
from lamina.backends.machine import Machine
from lamina.dialects.int8 import MOST, Dot4Op, fit_of, shape_of
from lamina.dialects.loop import ForOp
from lamina.passes._machine import machine_of
from lamina.passes.int8._dot4_checked import check, steps
from lamina.passes.int8._dot4_forms import FORMS, WIDTHS, Operands, cut, generic, whole


def lower(w: Operands, op: Dot4Op, form: str, width: int) -> None:
    """Replace `op` by what this form is made of, on vectors of at most `width` lanes."""
    type: Attribute = op.acc.type
    at, shape = Builder(InsertPoint.before(op)), shape_of(type)
    if isinstance(type, TensorType):
        raise PassFailedException(
            f"int8-lower-dot4: needs vectors or scalars, got {op.acc.type}; run it after te-to-vec"
        )
    if form in ("vnni", "avxvnni") and shape and shape[0] in WIDTHS and shape[0] <= width:
        return
    if form == "generic" or not shape:
        result = generic(w, at, op.acc, op.a, op.b)
    else:
        result = cut(w, at, op, FORMS[form], width)
    result.name_hint = op.res.name_hint
    Rewriter.replace_op(op, [], [result])


def products(op: Dot4Op) -> int:
    """How many products `op` adds up in one call of its function, up to a common factor."""
    count, around = prod(shape_of(op.acc.type)), op.parent_op()
    while isinstance(around, Operation):
        if isinstance(around, ForOp):
            count *= prod(map(int, around.extents.get_values()))
        around = around.parent_op()
    return count


@dataclass(frozen=True)
class Int8LowerDot4Pass(ModulePass):
    """
    Lower `int8.dot4` to what the target has, with the same result in every bit.

    - vnni: stays, an instruction of AVX512_VNNI on vectors of 16, 8 or 4 lanes (`vpdpbusd`)
    - avxvnni: stays, an instruction of AVX-VNNI on vectors of 8 or 4 lanes
    - maddubs: pairs of products, added with saturation to 16 bits, then pairs of these
      (`vpmaddubsw`, `vpmaddwd` by ones, `vpaddd`); only where `lamina.abs_b` <= 64 or
      `lamina.pair_b` <= 128 proves that nothing saturates, others get the best exact form
    - checked: all sums of a step of a reduction under one `scf.if`: madd16 if |b[0] + b[1]| > 128
      for a pair of the signed bytes of that step, or else maddubs; for any bytes, but worth it only
      where `lamina.most_b` says that they are seldom so large
    - madd16: even bytes and odd ones as 16-bit integers (`vpmaddwd` twice, `vpaddd` twice)
    - generic: in 32 bits; what is no vector always is

    `auto` is the first of these that the target has and that is exact and worth it; a remark says
    for which share of the products that is known. Vectors that no register holds are cut, or
    padded. OpenCL compilers find their own instructions: `auto` changes nothing for them.

    int8.dot4 %acc, %a, %b : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
    ->
    %p = int8.maddubs %a, %b; %s = int8.madd16 %p, %ones; arith.addi %acc, %s : vector<8xi32>
    """

    name = "int8-lower-dot4"
    numerics: ClassVar[str] = "exact"

    target: str = "cpu"
    """the machine to lower for"""
    form: str = "auto"
    """`auto`, `vnni`, `avxvnni`, `maddubs`, `checked`, `madd16` or `generic`"""
    remarks: bool = True
    """whether to say for which share of the products `maddubs` is proven"""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(self.target, by=self.name)
        self.check(machine)
        if machine.kind != "cpu" and self.form == "auto":
            return
        functions = [f for f in op.ops if isinstance(f, FuncOp) and not f.is_declaration]
        found = [(f, [o for o in f.walk() if isinstance(o, Dot4Op)]) for f in functions]
        self.remark(machine, [o for _, ops in found for o in ops])
        for f, ops in found:
            self.lower_function(Operands(f.body.block), ops, machine)

    def lower_function(self, w: Operands, ops: Sequence[Dot4Op], machine: Machine) -> None:
        """Each on its own; then those that are checked, a step of a reduction at a time."""
        checked: list[Dot4Op] = []
        for dot4 in ops:
            form = self.form_of(machine, dot4)
            if form == "checked" and isinstance(dot4.acc.type, VectorType):
                checked += whole(w, dot4, lanes(machine, form))
            else:
                lower(w, dot4, form, lanes(machine, form))
        for block in dict.fromkeys(op.parent_block() for op in checked):
            for step in steps(block, set(checked)) if block else ():
                check(w, step)

    def check(self, machine: Machine) -> None:
        """Refuse a form that there is not, or not on this machine."""
        if self.form not in ("auto", *ORDER):
            known = ", ".join(("auto", *ORDER))
            raise PassFailedException(f"{self.name}: form is one of {known}, got '{self.form}'")
        if self.form not in ("auto", "generic") and not lanes(machine, self.form):
            has = [form for form in ORDER if lanes(machine, form)] or ["generic"]
            raise PassFailedException(
                f"{self.name}: {machine.name} lacks the instructions of form={self.form}; it has"
                f" {', '.join(has)}"
            )

    def form_of(self, machine: Machine, op: Dot4Op) -> str:
        """The form that is asked for, if it is exact, or the best one that is."""
        fit = fit_of(op)
        if self.form == "auto" or (self.form == "maddubs" and fit != "all"):
            return best(machine, fit)
        return self.form

    def remark(self, machine: Machine, ops: list[Dot4Op]) -> None:
        """Say how much `maddubs` computes, where it could compute everything."""
        may = self.form == "maddubs" or (self.form == "auto" and saturates(machine))
        total = sum(map(products, ops))
        if not (self.remarks and may and total):
            return
        forms = [self.form_of(machine, op) for op in ops]
        proven, checked = (
            100 * sum(products(op) for op, f in zip(ops, forms, strict=True) if f == form) // total
            for form in ("maddubs", "checked")
        )
        logging.getLogger("lamina").warning(
            "lamina: remark: %s: for %s, %d %% of the products of bytes are proven to add up in"
            " pairs within 16 bits (maddubs), and %d %% in at least %d of 100 groups of four"
            " (checked in each step); the others take %s, which is exact",
            *(self.name, machine.name, proven, checked, MOST, best(machine)),
        )
