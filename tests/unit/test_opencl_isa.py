"""What is read from the dumps of Intel's compiler, on code written by hand."""

import pytest

from lamina.backends.opencl.isa import Instruction, parse

NESTED = """\
//.kernel rows
//.platform BXT
//.spill size 96
//.instCount 13

_main:
(W) mov (8|M0) r35.0<1>:ud r0.0<1;1,0>:ud // $1
    mov (16|M0) r56.0<1>:f 0x0:f // $2
(W) send (16|M0) r10:w r123 0xC 0x024D0CFF // rd:4; hdc.dc1; a64 aligned oword block read x8 // $8
_0_007:
(W) mul (1|M0) r38.1<1>:d r54.2<0;1,0>:d 200704:d // $3
_0_008:
(W) send (16|M0) r101:w r2 0xA 0x02284300 // rd:2; hdc.dc0; oword aligned block read x4 // $4
    mad (8|M0) r2.0<1>:f r18.0<2;1>:f r34.0<2;1>:f r101.0<0>:f {Compacted} // $5
    mad (8|M8) r3.0<1>:f r19.0<2;1>:f r35.0<2;1>:f r101.0<0>:f // $6
    mad (16|M0) r4.0<1>:f r19.0<2;1>:f r35.0<2;1>:f r101.0<0>:f // $6
(W) mad (1|M0) r5.0<1>:d r3:d r4:d r5:d // $7
(W) cmp (16|M0) (lt)f1.0 null<1>:d r54.3<0;1,0>:ud 0x3:uw // $8
    while (16|M0) _0_008 // $9
(W) add (1|M0) r54.2<1>:d r54.2<0;1,0>:d 1:w // $10
(W&f1.1) jmpi _0_007 // $11
    sel (16|M0) (ge)f0.0 r2.0<1>:f r2.0<8;8,1>:f 0x0:f // $12
(W) sends (16|M0) null:uw r4 r6 0x8A 0x020A0303 // rd:0; hdc.dc0; oword block write x4 // $13
(W) send (16|M0) r4:w r6 0xC 0x04205E00 // wr:2+0, rd:2; hdc.dc1; untyped surface read with x
    mad (8|M0) r2.0<1>:f r18.0<2;1>:f r34.0<2;1>:f r101.0<0>:f // $14
(W) send (8|M0) null r112 0x27 0x02000010 {EOT} // wr:1+0, rd:0; spawner; end of thread // $15
//.BankConflicts: 0
"""


def test_hot_block_is_in_the_innermost_loop() -> None:
    rows = parse(NESTED, 16)
    assert (rows.name, rows.lanes, rows.spill) == ("rows", 16, 96)
    assert [b.depth for b in rows.blocks] == [0, 1, 2, 1, 0]
    assert [len(b.instructions) for b in rows.blocks] == [3, 1, 7, 1, 5]
    assert rows.hot is rows.blocks[2]
    assert rows.hot.multiply_adds == 3  # what one lane multiplies and adds is an address


@pytest.mark.parametrize(
    ("pipe", "cycles", "busy"), [(4, 2 + 2 + 2 + 4 + 1 + 4 + 4, 8), (8, 11, 4)]
)
def test_cycles_are_those_of_a_pipe(pipe: int, cycles: int, busy: int) -> None:
    hot = parse(NESTED, 16).hot
    assert hot.cycles(pipe) == cycles
    assert hot.share(pipe) == busy / cycles


def test_messages_are_counted_by_what_they_do() -> None:
    messages = parse(NESTED, 16).messages
    assert messages == {"block read": 2, "a64": 1, "block write": 1, "read": 1}


def test_message_takes_as_long_for_any_lanes() -> None:
    assert Instruction("sends", 16).cycles(4) == Instruction("send", 1).cycles(4) == 2


def test_kernel_without_loop_or_products_has_its_longest_block_as_hot() -> None:
    text = "_main:\n  mov (16|M0) r2.0<1>:f r4\nL1:\n  mov (8|M0) r2\n  mov (8|M0) r3\n"
    copy = parse(text, 8)
    assert len(copy.hot.instructions) == 2
    assert (copy.hot.depth, copy.hot.share(4), copy.spill, copy.instructions) == (0, 0.0, 0, 3)


def test_of_equal_work_the_shorter_block_is_hot() -> None:
    mad = "  mad (8|M0) r2.0<1>:f r4 r5 r6\n"
    text = f"_main:\n{mad}  mov (8|M0) r2 r3\nL1:\n{mad}L2:\n  mov (8|M0) r2 r3\n"
    assert len(parse(text, 8).hot.instructions) == 1
