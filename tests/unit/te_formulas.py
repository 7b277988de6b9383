"""Tensor expressions of all kinds, as text and as what hypothesis draws."""

import re
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from lamina.dialects.te import ComputeOp
from lamina.universe import dialects

SUM = "%s = arith.addf %acc, %v : f32"
MAX = "%s = arith.maximumf %acc, %v : f32"


def parse(text: str) -> ModuleOp:
    ctx = Context()
    for name, factory in {**get_all_dialects(), **dialects()}.items():
        ctx.register_dialect(name, factory)
    return Parser(ctx, text).parse_module()


def only_compute(module: ModuleOp) -> ComputeOp:
    (op,) = [o for o in module.walk() if isinstance(o, ComputeOp)]
    return op


@dataclass
class Formula:
    """A te op as text, put together access by access; buffers are as large as they have to be."""

    axes: dict[str, tuple[int, bool]]
    accesses: list[list[str]] = field(default_factory=list)
    op: str = SUM
    extras: int = 0
    integers: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    """names of integers, where each is read, and its extent"""

    @property
    def extents(self) -> dict[str, int]:
        promised = {name: n for name, (_, n) in self.integers.items()}
        return {a: n for a, (n, _) in self.axes.items()} | promised

    def shape(self, access: list[str]) -> list[int]:
        return [self.largest(e) + 1 for e in access]

    def largest(self, e: str) -> int:
        """The largest value of an expression, by trying all values of the names in it."""
        used = [a for a in self.extents if re.search(rf"\b{a}\b", e)]
        grid = np.meshgrid(*(np.arange(self.extents[a]) for a in used), indexing="ij")
        source = e.replace("floordiv", "//").replace("mod", "%")
        return int(np.max(eval(source, {}, dict(zip(used, grid, strict=True)))))

    def text(self) -> str:
        inputs = len(self.accesses) - 1 - self.extras
        accesses = [*(a for a, _ in self.integers.values()), *self.accesses]
        elements = ["i32"] * len(self.integers) + ["f32"] * len(self.accesses)
        names = [f"%b{k}" for k in range(len(accesses))]
        types = [
            f"memref<{'x'.join(map(str, [*self.shape(a), element]))}>"
            for a, element in zip(accesses, elements, strict=True)
        ]
        shown = [f"{n}[{', '.join(a)}]" for n, a in zip(names, accesses, strict=True)]
        for k, (name, (_, extent)) in enumerate(self.integers.items()):
            shown[k] += f" as {name}: {extent}"
        axes = ", ".join(f"{'reduce ' * r}{a}: {n}" for a, (n, r) in self.axes.items())
        args = "".join(f"%{name}: i32, " for name in self.integers)
        args += "".join(f"%i{k}: f32, " for k in range(inputs))
        inputs, first = inputs + len(self.integers), inputs
        body = {0: "%v = arith.constant 1.0 : f32", 1: "%v = arith.addf %i0, %i0 : f32"}.get(
            first, "%v = arith.mulf %i0, %i1 : f32"
        )
        ins = f"ins({', '.join(shown[:inputs])})" if inputs else ""
        extras = f"extras({', '.join(shown[inputs:-1])})" if self.extras else ""
        after = "".join(f", %e{k}: f32" for k in range(self.extras))
        result = "".join(f"%r{k + 1} = arith.addf %r{k}, %e{k} : f32\n" for k in range(self.extras))
        return f"""
        func.func @f({", ".join(f"{n}: {t}" for n, t in zip(names, types, strict=True))}) {{
          te.compute axes({axes}) {ins} {extras} out({shown[-1]}) init 0.0 : f32
          : {", ".join(types)} ({args}%acc: f32) {{
            {body}
            {self.op}
            te.yield %s : f32
          }} epilogue (%r0: f32{after}) {{
            {result} te.yield %r{self.extras} : f32
          }}
          func.return
        }}"""

    def arrays(self) -> list[np.ndarray]:
        """Small integers, whose sums and products are exact in every order."""
        rng = np.random.default_rng(0)
        places = [rng.integers(0, n, self.shape(a)) for a, n in self.integers.values()]
        numbers = [rng.integers(-3, 4, self.shape(a)) for a in self.accesses[:-1]]
        return [*(p.astype(np.int32) for p in places), *(x.astype(np.float32) for x in numbers)]


@st.composite
def dimensions(draw: st.DrawFn, axis: str, extent: int) -> list[str]:
    """One axis as one dimension, or as two of a blocked layout, maybe behind an offset."""
    offset = draw(st.sampled_from([0, 0, 1, 4]))
    e = f"({axis} + {offset})" if offset else axis
    if extent > 2 and draw(st.booleans()):
        block = draw(st.sampled_from([2, 3, 4, 8, 16]))
        return [f"{e} floordiv {block}", f"{e} mod {block}"]
    return [e]


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    """Any nest: some axes, windows over them, blocked or plain buffers in any order."""
    spatial = {f"s{k}": draw(st.integers(1, 20)) for k in range(draw(st.integers(1, 3)))}
    reduced = {f"r{k}": draw(st.integers(1, 6)) for k in range(draw(st.integers(0, 2)))}
    if draw(st.booleans()):
        reduced |= {"r9": draw(st.integers(7, 20))}
    f = Formula(
        {a: (n, False) for a, n in spatial.items()} | {a: (n, True) for a, n in reduced.items()}
    )
    for name in draw(st.sampled_from([[], [], ["m0"], ["m0", "m1"]])):
        used = draw(st.lists(st.sampled_from([*f.extents]), unique=True, max_size=2))
        places = [d for axis in used for d in draw(dimensions(axis, f.extents[axis]))]
        f.integers[name] = places or ["0"], draw(st.integers(1, 40))
    windows = list(reduced)
    for _ in range(draw(st.integers(0, 2))):
        used = draw(st.lists(st.sampled_from([*f.extents]), unique=True, max_size=4))
        dims: list[str] = []
        for axis in used:
            if axis in spatial and windows and draw(st.booleans()):
                stride = draw(st.sampled_from([1, 2]))
                dims.append(f"{axis} * {stride} + {draw(st.sampled_from(windows))}")
            else:
                dims += draw(dimensions(axis, f.extents[axis]))
        f.accesses.append(draw(st.permutations(dims)) if dims else ["0"])
    if draw(st.booleans()):
        axis = draw(st.sampled_from([*spatial]))
        f.accesses.append([axis])
        f.extras = 1
    out = [d for axis in spatial for d in draw(dimensions(axis, spatial[axis]))]
    f.accesses.append(draw(st.permutations(out)))
    f.op = draw(st.sampled_from([SUM, MAX]))
    return f
