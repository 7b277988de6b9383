"""
The default pipelines, as flat lists. Between two steps stands what holds from there on.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.passes import ModulePass

from lamina.backends.dot4 import saturates
from lamina.backends.machine import Machine, describe
from lamina.backends.registry import backend_of
from lamina.options import Options
from lamina.passes.check.verify_mappings import VerifyMappingsPass
from lamina.passes.graph._devices import names_of
from lamina.passes.graph.assign_halos import AssignHalosPass
from lamina.passes.graph.cancel_relayouts import CancelRelayoutsPass
from lamina.passes.graph.expand_avg_pool import ExpandAvgPoolPass
from lamina.passes.graph.fold_batch_norm import FoldBatchNormPass
from lamina.passes.graph.fold_constants import FoldConstantsPass
from lamina.passes.graph.fuse_epilogues import FuseEpiloguesPass
from lamina.passes.graph.fuse_prologues import FuseProloguesPass
from lamina.passes.graph.fuse_tails import FuseTailsPass
from lamina.passes.graph.insert_device_copies import InsertDeviceCopiesPass
from lamina.passes.graph.keep_channels_first import KeepChannelsFirstPass
from lamina.passes.graph.lines_to_images import LinesToImagesPass
from lamina.passes.graph.lower_graph_to_te import LowerGraphToTePass
from lamina.passes.graph.outline_kernels import OutlineKernelsPass
from lamina.passes.graph.outline_regions import OutlineRegionsPass
from lamina.passes.graph.pack_weights import PackWeightsPass
from lamina.passes.graph.place_concats import PlaceConcatsPass
from lamina.passes.graph.place_on_devices import PlaceOnDevicesPass
from lamina.passes.graph.plan_memory import PlanMemoryPass
from lamina.passes.graph.propagate_layouts import PropagateLayoutsPass
from lamina.passes.graph.recognize_normalization import RecognizeNormalizationPass
from lamina.passes.graph.select_layouts import SelectLayoutsPass
from lamina.passes.graph.share_device_memory import ShareDeviceMemoryPass
from lamina.passes.graph.share_kernels import ShareKernelsPass
from lamina.passes.graph.simplify_graph import SimplifyGraphPass
from lamina.passes.graph.store_f16 import StoreF16Pass
from lamina.passes.graph.tabulate_gathers import TabulateGathersPass
from lamina.passes.graph.transposes_to_views import TransposesToViewsPass
from lamina.passes.graph.winograd_convolutions import WinogradConvolutionsPass
from lamina.passes.int8.int8_average import Int8AveragePass
from lamina.passes.int8.int8_bound_weights import Int8BoundWeightsPass
from lamina.passes.int8.int8_expand import Int8ExpandPass
from lamina.passes.int8.int8_fixed_point import Int8FixedPointPass
from lamina.passes.int8.int8_fold_bias import Int8FoldBiasPass
from lamina.passes.int8.int8_group_products import Int8GroupProductsPass
from lamina.passes.int8.int8_hoist_quantize import Int8HoistQuantizePass
from lamina.passes.int8.int8_lower_dot4 import Int8LowerDot4Pass
from lamina.passes.int8.int8_products_in_floats import Int8ProductsInFloatsPass
from lamina.passes.int8.int8_realize import Int8RealizePass
from lamina.passes.int8.int8_requantize import Int8RequantizePass
from lamina.passes.int8.int8_requantize_sums import Int8RequantizeSumsPass
from lamina.passes.int8.int8_round_in_place import Int8RoundInPlacePass
from lamina.passes.int8.int8_sink_dequantize import Int8SinkDequantizePass
from lamina.passes.int8.int8_split_dequantize import Int8SplitDequantizePass
from lamina.passes.int8.int8_unsigned import Int8UnsignedPass
from lamina.passes.loop.loop_map_to_grid import LoopMapToGridPass
from lamina.passes.loop.loop_outline_parallel import LoopOutlineParallelPass
from lamina.passes.te.te_apply_records import TeApplyRecordsPass
from lamina.passes.te.te_block_together import PREFIX, TeBlockTogetherPass
from lamina.passes.te.te_choose_schedules import TeChooseSchedulesPass
from lamina.passes.te.te_contract_buffers import TeContractBuffersPass
from lamina.passes.te.te_contract_fma import TeContractFmaPass
from lamina.passes.te.te_divide_by_constants import TeDivideByConstantsPass
from lamina.passes.te.te_expand_math import TeExpandMathPass
from lamina.passes.te.te_fuse_epilogue import TeFuseEpiloguePass
from lamina.passes.te.te_fuse_loops import TeFuseLoopsPass
from lamina.passes.te.te_inline_producers import TeInlineProducersPass
from lamina.passes.te.te_peel_padding import TePeelPaddingPass
from lamina.passes.te.te_schedule import TeSchedulePass
from lamina.passes.te.te_simplify import TeSimplifyPass
from lamina.passes.te.te_to_loops import TeToLoopsPass
from lamina.passes.te.te_to_vec import TeToVecPass
from lamina.passes.vector.vec_join_loads import VecJoinLoadsPass
from lamina.passes.vector.vec_prefetch import VecPrefetchPass
from lamina.passes.vector.vec_splat_lanes import VecSplatLanesPass
from lamina.passes.vector.vec_split import VecSplitPass
from lamina.passes.vector.vec_stage_lanes import VecStageLanesPass
from lamina.passes.vector.vec_transpose_loads import VecTransposeLoadsPass

LEVELS = {
    "graph": "outline-kernels",
    "te": "te-choose-schedules",
    "loop": "te-to-loops",
    "vector": "vec-prefetch",
}
"""level -> the pass of the default pipeline after which a module is on it"""


DEFAULT = Options()
SUB_BUFFER = 128
"""bytes of which a part of an OpenCL buffer begins at a multiple, on any device that we know"""


REGIONS = (
    OutlineRegionsPass(),
    # the network is calls of regions, each on one device; or it is on one device, whole
    ShareDeviceMemoryPass(),
    # regions hand on buffers, which are in the hands of one device, or of the host
    VerifyMappingsPass(),
)


def choose_layouts(target: str, options: Options) -> tuple[ModulePass, ...]:
    """
    The passes that choose layouts for the network at once; `local` for each convolution alone, with
    transforms that are not needed taken out, `blocked` with all of them left.
    """
    way = options.layouts
    if way not in ("local", "blocked"):
        tiles = options.numerics == "fast"
        return SelectLayoutsPass(target, way, tiles=tiles), CancelRelayoutsPass()
    alone = SelectLayoutsPass(target, "blocked")
    return (alone,) if way == "blocked" else (alone, PropagateLayoutsPass(), CancelRelayoutsPass())


def on_integers(machines: Sequence[Machine], options: Options) -> tuple[ModulePass, ...]:
    """The passes that make a network with quantize and dequantize one of integers."""
    fixed = options.requantize == "fixed"
    return (
        Int8SinkDequantizePass(),
        # 8 bits are moved and bounded, not the real numbers that they stand for
        Int8AveragePass(even=fixed),
        Int8RealizePass(),
        Int8FoldBiasPass(),
        # sums of products are of integers, where their factors stand for real numbers
        Int8HoistQuantizePass(),
        Int8RequantizePass(),
        # sums are scaled once, and stored in 8 bits at once
        *(() if fixed else (Int8RequantizeSumsPass(),)),
        # two tensors are added up in the steps of their sum
        Int8UnsignedPass(),
        # factors are unsigned, their weights signed
        *((Int8FixedPointPass(),) if fixed else ()),
        # if it is wanted, integers become others without real numbers between them
        *((Int8BoundWeightsPass(),) if any(map(saturates, machines)) else ()),
        # where pairs of products saturate in 16 bits, it is known which do not
        FoldConstantsPass(),
        # quantized numbers that are in no sum of products are real constants
    )


def on_lanes(machine: Machine) -> tuple[ModulePass, ...]:
    """The passes that spread the steps of kernels over a device, and vectors over work-items."""
    subgroups = machine.flavour == "intel_subgroups"
    return (
        VecSplitPass(machine.lanes(4)),
        # a lane holds one element of each vector
        *(() if machine.flavour == "portable" else (VecSplatLanesPass(2), VecJoinLoadsPass())),
        # a message brings as many vectors as it can; lanes see those of each other
        LoopMapToGridPass("subgroup" if subgroups else "work_items"),
        # each nest is a launch
        *((VecStageLanesPass(),) if machine.flavour == "lds" else ()),
        # what lanes see of each other lies in local memory
    )


def default(target: str = "cpu", options: Options = DEFAULT) -> tuple[ModulePass, ...]:
    """From a network as imported to what the back end of `target`, such as `cpu:haswell`, takes."""
    machine = describe(target)
    return *network(target, options), *backend_of(target).passes(machine, options)


def network(target: str, options: Options = DEFAULT) -> tuple[ModulePass, ...]:
    """
    From a network as imported to one whose layouts and borders are chosen. If `target` is a list of
    targets, or there are rules what runs where, to one of regions, each on one device.
    """
    machines = [describe(name) for name in names_of(target)]
    divided = len(machines) > 1 or bool(options.place)
    cpus = [m.name for m in machines if m.kind == "cpu" and options.numerics == "fast"]
    placed = PlaceOnDevicesPass(target, options.place, options.threads), InsertDeviceCopiesPass()
    return (
        RecognizeNormalizationPass(),
        # a normalization is one op, however the exporter spelled it
        KeepChannelsFirstPass(),
        # no pair of transposes stands around what could be computed without them
        LinesToImagesPass(),
        # windows slide over images only, those over lines over images of height 1
        *on_integers(machines, options),
        # what is computed on real numbers is read from 8 bits, and stored in them, by one kernel
        FoldBatchNormPass(),
        FoldConstantsPass(),
        SimplifyGraphPass(),
        ExpandAvgPoolPass(),
        # what could be computed now is a constant; no batch_norm, no mean with a varying count
        Int8SplitDequantizePass(),
        # real numbers are made of 8 bits where they are read
        *(placed if divided else ()),
        # each op has a device, and what one device hands to another is copied
        *choose_layouts(machines[0].name, options),
        # relayouts are left only where two neighbours disagree on the layout
        *(WinogradConvolutionsPass(target=name) for name in cpus),
        # convolutions are direct, or products of transformed tiles, whichever is faster
        TransposesToViewsPass(),
        # a transpose moves elements only where its readers are faster for it
        AssignHalosPass(),
        # no window reads outside the storage of its input, except of maxima
        TabulateGathersPass(),
        # indices are a formula or a tensor
        *(REGIONS if divided else ()),
    )


def kernels(target: str, options: Options = DEFAULT) -> tuple[ModulePass, ...]:
    """From there to vectors, on CPUs and on OpenCL devices."""
    machine = describe(target)
    cpu = machine.kind == "cpu"  # where blocks stay in the cache of who computes them
    threads = options.threads if cpu else 1
    halves = options.storage == "f16"
    return (
        PackWeightsPass(),
        # no relayout of a constant is left; every constant is in the store
        FuseEpiloguesPass(),
        *((FuseProloguesPass(), FuseTailsPass()) if cpu else ()),
        # what is left of ops beside each other are kernels
        PlaceConcatsPass(1 if cpu else SUB_BUFFER * (2 if halves else 1)),
        # the parts of a concat are written where they lie in it; what cannot be is copied
        OutlineKernelsPass(),
        # the network is constants, views and calls; every kernel is one private function
        Int8RoundInPlacePass(),
        # no bytes are made of numbers to become numbers again
        ShareKernelsPass(),
        # kernels that differ in scales are one
        LowerGraphToTePass(),
        # no op of graph, no tensor: te ops on buffers, and what kernels hand on in memref.alloc
        *((StoreF16Pass(target),) if halves else ()),
        # that, and weights, are in 16 bits, if it is wanted; kernels compute in 32
        TeFuseEpiloguePass(),
        TeInlineProducersPass(),
        TeSimplifyPass(),
        # bias, activation and residual are computed where the sum is, in registers
        *((TeDivideByConstantsPass(),) if machine.fma and options.numerics == "fast" else ()),
        # quotients by constants are products
        *((TeBlockTogetherPass(target=target, threads=threads),) if cpu else ()),
        *((TeFuseLoopsPass(prefix=PREFIX), TeContractBuffersPass()) if cpu else ()),
        # what the ops of a kernel hand on stays in cache: one block of it is computed, then used
        PlanMemoryPass() if cpu else PlanMemoryPass(SUB_BUFFER, stack=0),
        # no allocation: buffers are views of one arena
        TePeelPaddingPass(),
        # no read outside a buffer
        TeExpandMathPass(),
        *((TeContractFmaPass(),) if machine.fma else ()),  # else a call for each lane
        # scalar bodies are arithmetic that the target has
        TeApplyRecordsPass(target=target, threads=threads),
        # every te op that was tuned has the schedule that was fastest
        TeChooseSchedulesPass(target=target, threads=threads),
        # every te op has a schedule; what is worth it begins with a run of steps for each thread
        TeSchedulePass(),
        # axes are the loop nest, in order
        TeToLoopsPass(),
        # every te op is one register tile inside rolled loops
        TeToVecPass(),
        # no te op: loops and vectors
        Int8ExpandPass(),
        Int8GroupProductsPass(target=target),
        # no product of bytes is made alone that could be one of four
        Int8LowerDot4Pass(target=target),
        # of int8 there are only instructions of the target
        *((LoopOutlineParallelPass(),) if threads > 1 else ()),
        # one step of each parallel loop is a function, for threads to call
        *((VecTransposeLoadsPass(),) if cpu else ()),
        # lanes that lie apart are loaded one by one only where no neighbours are
        *(() if cpu else on_lanes(machine)),
        # what is launched says over which grid, and whether a vector is a subgroup
        *(() if cpu or machine.dot4 else (Int8ProductsInFloatsPass(),)),
        # where no instruction adds four products of bytes, sums of them are of floats
        VecPrefetchPass(),
    )
