"""SSD-512 on ResNet-50 v1 (Liu et al. 2015, arXiv:1512.02325) in the shape that GluonCV has."""

from functools import partial

import numpy as np
from onnx import TensorProto, helper

from benchmarks.models.graph import Array
from benchmarks.models.network import Network
from benchmarks.models.resnet import stages

IMAGE = 512
CLASSES = 20
ANCHORS = [4, 6, 6, 6, 4, 4]
"""anchors at each pixel of each of the six scales: two squares, and a box per further ratio"""
SIZES = [51.2, 102.4, 189.4, 276.4, 363.52, 450.6, 492]
RATIOS = [[2, 0.5], *[[2, 0.5, 3, 1 / 3]] * 3, *[[2, 0.5]] * 2]


def features(net: Network, image: str) -> list[str]:
    """The maps that boxes are looked for in, from fine to coarse."""
    *_, fine, x = stages(net, image, 50, stride_on_3x3=False)
    maps = [fine, x]
    for channels in (512, 512, 256, 256):
        x = net.relu(net.conv_bn(x, channels, 1))
        x = net.relu(net.conv_bn(x, channels, 3, 2, 1))
        maps.append(x)
    return maps


def head(net: Network, x: str, scale: int, kind: str, per_anchor: int, gain: float) -> str:
    """`per_anchor` numbers for each anchor of one scale, as a matrix."""
    anchors = ANCHORS[scale]
    y = net.conv(x, anchors * per_anchor, 3, 1, 1, bias=True, gain=gain)
    n, c, h, w = net.dims(y)
    y = net.node("Transpose", [y], (n, h, w, c), perm=[0, 2, 3, 1])
    shape = (n, h * w * anchors, per_anchor)
    return net.node("Reshape", [y, net.weight(f"shape_{kind}_{scale}", np.array(shape))], shape)


def anchors_of(scale: int, height: int, width: int) -> Array:
    """The boxes of one scale as centre x, centre y, width and height."""
    small, large = SIZES[scale], (SIZES[scale] * SIZES[scale + 1]) ** 0.5
    boxes = [(small, small), (large, large)]
    boxes += [(small * r**0.5, small / r**0.5) for r in RATIOS[scale]]
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    y, x = np.meshgrid(rows, columns, indexing="ij")
    fields = [
        np.stack([x, y, np.full_like(x, w / IMAGE), np.full_like(x, h / IMAGE)], -1)
        for w, h in boxes
    ]
    return np.stack(fields, 2).reshape(-1, 4)


def decode(net: Network, offsets: str, anchors: Array) -> str:
    """Corners of the boxes: centre + 0.1 offset * size, size * exp(0.2 offset)."""
    shape = (net.dims(offsets)[0], len(anchors), 2)
    centre, size = anchors[None, :, :2], anchors[None, :, 2:]
    halves = net.weight("split", np.array([2, 2], np.int64))
    net.nodes.append(
        helper.make_node("Split", [offsets, halves], ["t_xy", "t_wh"], name="split_box", axis=2)
    )
    xy = net.node("Mul", ["t_xy", net.weight("a_wh01", size * np.float32(0.1))], shape)
    xy = net.node("Add", [xy, net.weight("a_xy", centre)], shape)
    wh = net.node("Mul", ["t_wh", net.weight("c02", np.array(0.2, np.float32))], shape)
    wh = net.node("Exp", [wh], shape)
    wh = net.node("Mul", [wh, net.weight("a_wh05", size * np.float32(0.5))], shape)
    low = net.node("Sub", [xy, wh], shape)
    return net.concat([low, net.node("Add", [xy, wh], shape)], 2)


def select(net: Network, boxes: str, scores: str) -> str:
    """The boxes left by non-maximum suppression, class 0 (background) not looked at."""
    n, count, classes = net.dims(scores)
    x = net.node("Transpose", [scores], (n, classes, count), perm=[0, 2, 1])
    bounds = {"sl_s": 1, "sl_e": classes, "sl_a": 1}
    slices = [net.weight(name, np.array([v], np.int64)) for name, v in bounds.items()]
    x = net.node("Slice", [x, *slices], (n, classes - 1, count))
    limits = [
        net.weight("nms_max", np.array(400, np.int64)),
        net.weight("nms_iou", np.array(0.45, np.float32)),
        net.weight("nms_thr", np.array(0.01, np.float32)),
    ]
    selected = net.node("NonMaxSuppression", [boxes, x, *limits], ("num_selected", 3))
    net.element_type[selected] = TensorProto.INT64
    return selected


def ssd(net: Network, batch: int, *, suppress: bool) -> dict[str, str]:
    """Scores and boxes of every anchor and, with `suppress`, the indices of those to keep."""
    maps = features(net, net.input("data", (batch, 3, IMAGE, IMAGE)))
    scores: list[str] = []
    offsets: list[str] = []
    for scale, x in enumerate(maps):
        scores.append(head(net, x, scale, "cls", CLASSES + 1, gain=1.0))
        offsets.append(head(net, x, scale, "box", 4, gain=0.05))
    sizes = [net.dims(x)[2:] for x in maps]
    anchors = np.concatenate([anchors_of(i, h, w) for i, (h, w) in enumerate(sizes)])
    score, offset = net.concat(scores), net.concat(offsets)
    score = net.node("Softmax", [score], net.shape[score], axis=2)
    boxes = decode(net, offset, anchors.astype(np.float32))
    found = {"scores": score, "boxes": boxes}
    return found | {"selected": select(net, boxes, score)} if suppress else found


MODELS = {
    "ssd512_resnet50": partial(ssd, suppress=False),
    "ssd512_resnet50_nms": partial(ssd, suppress=True),
}
