"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016, arXiv:1602.07360)."""

from functools import partial

from benchmarks.models.network import Network


def fire(net: Network, x: str, squeezed: int, expanded: int) -> str:
    """1x1 down, then a 1x1 and a 3x3 convolution side by side."""
    x = net.relu(net.conv(x, squeezed, 1, bias=True))
    one = net.relu(net.conv(x, expanded, 1, bias=True))
    three = net.relu(net.conv(x, expanded, 3, 1, 1, bias=True))
    return net.concat([one, three])


STAGES_1_0 = [
    [(16, 64), (16, 64), (32, 128)],
    [(32, 128), (48, 192), (48, 192), (64, 256)],
    [(64, 256)],
]
STAGES_1_1 = [
    [(16, 64), (16, 64)],
    [(32, 128), (32, 128)],
    [(48, 192), (48, 192), (64, 256), (64, 256)],
]
"""squeezed and expanded channels of the fire modules after each pooling"""


def squeezenet(
    net: Network, batch: int, *, channels: int, kernel: int, stages: list[list[tuple[int, int]]]
) -> dict[str, str]:
    """Eight fire modules; the last convolution is the classifier."""
    x = net.input("data", (batch, 3, 224, 224))
    x = net.relu(net.conv(x, channels, kernel, 2, bias=True))
    for modules in stages:
        x = net.max_pool(x, 3, 2, ceil=True)
        for squeezed, expanded in modules:
            x = fire(net, x, squeezed, expanded)
    x = net.relu(net.conv(x, 1000, 1, bias=True))
    return {"output": net.flatten(net.global_average_pool(x))}


MODELS = {
    "squeezenet1_0": partial(squeezenet, channels=96, kernel=7, stages=STAGES_1_0),
    "squeezenet1_1": partial(squeezenet, channels=64, kernel=3, stages=STAGES_1_1),
}
