"""
Loads and stores of vectors.

A subgroup reads and writes blocks, at addresses that are multiples of 4 and 16 bytes, so buffers
must begin at multiples of 16. Where an index does not keep that, and where there is no subgroup,
each lane accesses its own element.
"""

from __future__ import annotations

from math import prod

from xdsl.dialects import memref
from xdsl.dialects.builtin import Float16Type, StringAttr, f32, i32
from xdsl.ir import Attribute, Operation

from lamina.backends.opencl.choice import is_bool
from lamina.backends.opencl.writer import Handler, Writer, byte_size
from lamina.dialects import vector as vec
from lamina.dialects.vector import element_of, shape_of

BLOCK = {1: "_uc", 2: "_us", 4: ""}
"""bytes of a lane -> suffix of the block functions"""
RUNS = (2, 4)
"""vectors that one block function reads; of 8, Intel's driver for CPUs fails to compile it"""
UNSIGNED = {1: "uchar", 2: "ushort", 4: "uint"}
READ_ALIGNMENT, WRITE_ALIGNMENT = 4, 16
LOCAL = StringAttr("local")
"""memory space of what the lanes of a step share"""


def lane_bytes(op: vec.MemoryOp, type: Attribute) -> int:
    """Bytes of one lane in memory: of an element, or of a group of 4."""
    return byte_size(op.memref.element_type) * (4 if shape_of(type)[1:] else 1)


def _are_halves(op: vec.MemoryOp, type: Attribute) -> bool:
    """Whether lanes are floats, but halves in memory."""
    return isinstance(op.memref.element_type, Float16Type) and element_of(type) == f32


def _element(w: Writer, op: vec.MemoryOp, type: Attribute, at: str) -> str:
    """The element at `at`, or the group of 4 bytes that begins there."""
    if shape_of(type)[1:]:
        return f"as_uint(vload4(0, {w.name(op.ref)} + {at}))"
    if _are_halves(op, type):
        return f"vload_half({at}, {w.name(op.ref)})"
    return f"{w.name(op.ref)}[{at}]"  # as a bool, whatever is not 0 is true


def _set_element(w: Writer, op: vec.MemoryOp, type: Attribute, at: str, value: str) -> None:
    """Store the value of this lane, unless it stands for nothing; a scalar from the first lane."""
    shape = shape_of(type)
    only = "" if shape and shape[0] == w.width else f"if ({w.lane()} < {(shape or (1,))[0]}) "
    if shape[1:]:
        w.line(f"{only}vstore4(as_uchar4({value}), 0, {w.name(op.ref)} + {at});")
    elif _are_halves(op, type):
        w.line(f"{only}vstore_half_rte({value}, {at}, {w.name(op.ref)});")
    else:
        w.line(f"{only}{w.name(op.ref)}[{at}] = {value};")


def _is_whole(w: Writer, op: vec.MemoryOp, type: Attribute) -> bool:
    """Whether all lanes of a subgroup have an element, of a size that is read in blocks."""
    sized = not is_bool(type) and lane_bytes(op, type) in BLOCK
    return w.subgroups and sized and shape_of(type)[0] == w.width


def _block_function(w: Writer, access: str, size: int, vectors: int = 1) -> str:
    """
    The function that reads or writes so many vectors whose lanes have `size` bytes.

    Intel's driver for CPUs computes the first lane only where nothing but these functions, on bytes
    or shorts, shows that a kernel is one of subgroups: so there it asks for its lane, too.
    """
    if size < 4:
        w.lane()
    return f"intel_sub_group_block_{access}{BLOCK[size]}{vectors if vectors > 1 else ''}"


def _block(w: Writer, op: vec.MemoryOp, type: Attribute, at: str, vectors: int = 1) -> str:
    """The vectors, one behind the other, whose first lane is at `at`."""
    target, size = w.type(type), lane_bytes(op, type)
    pointer = f"(const __global {UNSIGNED[size]}*)({w.name(op.ref)} + {at})"
    text = f"{_block_function(w, 'read', size, vectors)}({pointer})"
    many = vectors if vectors > 1 else ""
    if _are_halves(op, type):
        return f"convert_float{many}(as_half{many}({text}))"
    return text if target == UNSIGNED[size] else f"as_{target}{many}({text})"


def _load(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadOp)
    type = op.res.type
    w.type(type)  # refuses what no lane can hold
    if not (shape := shape_of(type)):
        w.define(op.res, _element(w, op, type, w.address(op)))
    elif _is_whole(w, op, type) and w.alignment(op) % READ_ALIGNMENT == 0:
        w.define(op.res, _block(w, op, type, w.address(op)))
    else:
        w.define(op.res, _element(w, op, type, w.address(op, 4 if shape[1:] else 1, shape[0])))


def _load_run(w: Writer, op: Operation) -> None:
    """Blocks of 2 or 4 vectors are one message; their parts have no variables of their own."""
    assert isinstance(op, vec.LoadRunOp)
    type, n = op.res[0].type, len(op.res)
    target, shape, at = w.type(type), shape_of(type), w.address(op)
    blocks = _is_whole(w, op, type) and w.alignment(op) % READ_ALIGNMENT == 0
    if n in RUNS and blocks:
        run = w.fresh(op.res[0].name_hint)
        w.line(f"const {target}{n} {run} = {_block(w, op, type, at, n)};")
        w.names.update((result, f"{run}.s{k}") for k, result in enumerate(op.res))
        return
    lanes = w.address(op, 4 if shape[1:] else 1, shape[0])
    for k, result in enumerate(op.res):
        further = f" + {k * prod(shape)}" if k else ""
        if blocks:
            w.define(result, _block(w, op, type, f"{at}{further}"))
        else:
            w.define(result, _element(w, op, type, f"{lanes}{further}"))


def _load_splat(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadSplatOp)
    w.type(op.res.type)
    w.define(op.res, _element(w, op, op.res.type, w.address(op)))


def _load_strided(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.LoadStridedOp)
    w.type(op.res.type)
    lanes = shape_of(op.res.type)[0]
    w.define(op.res, _element(w, op, op.res.type, w.address(op, op.stride.data, lanes)))


def _gather(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.GatherOp)
    if element_of(op.lanes.type) != i32:
        raise w.error(f"{op.name} needs lanes of i32, as wide as an address, got {op.lanes.type}")
    w.type(op.res.type)
    w.define(op.res, _element(w, op, op.res.type, f"{w.address(op)} + {w.name(op.lanes)}"))


def _store(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.StoreOp)
    type, value = op.value.type, w.name(op.value)
    source, size = w.type(type), lane_bytes(op, type)
    if not (shape := shape_of(type)):
        _set_element(w, op, type, w.address(op), value)
    elif _is_whole(w, op, type) and w.alignment(op) % WRITE_ALIGNMENT == 0:
        unsigned = UNSIGNED[size]
        value = f"convert_half_rte({value})" if _are_halves(op, type) else value
        value = value if source == unsigned else f"as_{unsigned}({value})"
        pointer = f"(__global {unsigned}*)({w.name(op.ref)} + {w.address(op)})"
        w.line(f"{_block_function(w, 'write', size)}({pointer}, {value});")
    else:
        _set_element(w, op, type, w.address(op, 4 if shape[1:] else 1, shape[0]), value)


def _store_strided(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.StoreStridedOp)
    type, stride = op.value.type, op.stride.data
    w.type(type)
    if shape_of(type)[1:] and stride < 4:
        raise w.error(f"{op.name} of groups needs a stride of at least 4, got {stride}")
    at = w.address(op, stride, shape_of(type)[0])
    _set_element(w, op, type, at, w.name(op.value))


def _prefetch(w: Writer, op: Operation) -> None:
    assert isinstance(op, vec.PrefetchOp)
    w.line(f"prefetch({w.name(op.ref)} + {w.address(op)}, 16);")


def _alloca(w: Writer, op: Operation) -> None:
    """What the lanes of a step share, declared where OpenCL wants it; nobody has an array alone."""
    assert isinstance(op, memref.AllocaOp)
    type = op.memref.type
    if type.memory_space != LOCAL or w.subgroups or w.indent > 1:
        raise w.error(
            f"{op.name} is for memory space {LOCAL} of work-items, at the beginning of a launch, "
            f"got {type}; vec-stage-lanes makes such"
        )
    element = w.stored(type.element_type)
    w.line(f"__local {element} {w.name(op.memref)}[{prod(type.get_shape())}];")


def _barrier(w: Writer, op: Operation) -> None:
    w.line("barrier(CLK_LOCAL_MEM_FENCE);")


HANDLERS: dict[type[Operation], Handler] = {
    vec.LoadOp: _load,
    vec.LoadRunOp: _load_run,
    vec.LoadSplatOp: _load_splat,
    vec.LoadStridedOp: _load_strided,
    vec.GatherOp: _gather,
    vec.StoreOp: _store,
    vec.StoreStridedOp: _store_strided,
    vec.PrefetchOp: _prefetch,
    vec.BarrierOp: _barrier,
    memref.AllocaOp: _alloca,
}
