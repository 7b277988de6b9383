"""MobileNet v1 (Howard et al. 2017, arXiv:1704.04861) and v2 (Sandler et al., arXiv:1801.04381)."""

from benchmarks.models.network import Network

V1_LAYERS = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    *[(512, 1)] * 5, (1024, 2), (1024, 1),
]  # fmt: skip
"""channels and stride of each pair of a depthwise and a 1x1 convolution"""

V2_LAYERS = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
]  # fmt: skip
"""expansion, channels, repetitions and first stride of each group of inverted residuals"""


def mobilenet_v1(net: Network, batch: int) -> dict[str, str]:
    """Depthwise 3x3 and 1x1 convolutions in turn."""
    x = net.input("data", (batch, 3, 224, 224))
    x = net.relu(net.conv_bn(x, 32, 3, 2, 1))
    for channels, stride in V1_LAYERS:
        wide = net.dims(x)[1]
        x = net.relu(net.conv_bn(x, wide, 3, stride, 1, groups=wide))
        x = net.relu(net.conv_bn(x, channels, 1))
    return net.classifier(x)


def inverted_residual(net: Network, x: str, expansion: int, channels: int, stride: int) -> str:
    """1x1 up, depthwise 3x3, 1x1 down without activation, and the input added where it fits."""
    narrow = net.dims(x)[1]
    wide = narrow * expansion
    y = x if expansion == 1 else net.relu6(net.conv_bn(x, wide, 1))
    y = net.relu6(net.conv_bn(y, wide, 3, stride, 1, groups=wide))
    adds = stride == 1 and narrow == channels
    y = net.conv_bn(y, channels, 1, gain=1.0, residual=0.5 if adds else 1.0)
    return net.add(x, y) if adds else y


def mobilenet_v2(net: Network, batch: int) -> dict[str, str]:
    """Seven groups of inverted residuals."""
    x = net.input("data", (batch, 3, 224, 224))
    x = net.relu6(net.conv_bn(x, 32, 3, 2, 1))
    for expansion, channels, count, stride in V2_LAYERS:
        for i in range(count):
            x = inverted_residual(net, x, expansion, channels, stride if i == 0 else 1)
    return net.classifier(net.relu6(net.conv_bn(x, 1280, 1)))


MODELS = {"mobilenet_v1": mobilenet_v1, "mobilenet_v2": mobilenet_v2}
