"""ResNet (He et al. 2015, arXiv:1512.03385)."""

from functools import partial

from benchmarks.models.network import Network

BLOCKS = {
    18: [2, 2, 2, 2],
    34: [3, 4, 6, 3],
    50: [3, 4, 6, 3],
    101: [3, 4, 23, 3],
    152: [3, 8, 36, 3],
}
BOTTLENECK_DEPTHS = (50, 101, 152)


def basic(net: Network, x: str, channels: int, stride: int, scale: float) -> str:
    """Two 3x3 convolutions."""
    y = net.relu(net.conv_bn(x, channels, 3, stride, 1))
    return net.conv_bn(y, channels, 3, 1, 1, residual=scale)


def bottleneck(net: Network, x: str, channels: int, strides: tuple[int, int], scale: float) -> str:
    """1x1 down, 3x3, 1x1 up to four times as many; strides of the first two."""
    y = net.relu(net.conv_bn(x, channels, 1, strides[0]))
    y = net.relu(net.conv_bn(y, channels, 3, strides[1], 1))
    return net.conv_bn(y, 4 * channels, 1, residual=scale)


def stages(net: Network, x: str, depth: int, *, stride_on_3x3: bool) -> list[str]:
    """What each of the four stages yields."""
    blocks = BLOCKS[depth]
    scale = (2.0 / sum(blocks)) ** 0.5
    x = net.max_pool(net.relu(net.conv_bn(x, 64, 7, 2, 3)), 3, 2, 1)
    outputs: list[str] = []
    for stage, count in enumerate(blocks):
        channels = 64 << stage
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            if depth in BOTTLENECK_DEPTHS:
                strides = (1, stride) if stride_on_3x3 else (stride, 1)
                y = bottleneck(net, x, channels, strides, scale)
            else:
                y = basic(net, x, channels, stride, scale)
            if net.dims(x) != net.dims(y):
                x = net.conv_bn(x, net.dims(y)[1], 1, stride, gain=1.0)
            x = net.relu(net.add(y, x))
        outputs.append(x)
    return outputs


def resnet(net: Network, batch: int, *, depth: int, stride_on_3x3: bool) -> dict[str, str]:
    """The whole network for images of 224x224."""
    x = net.input("data", (batch, 3, 224, 224))
    return net.classifier(stages(net, x, depth, stride_on_3x3=stride_on_3x3)[-1])


MODELS = {
    **{f"resnet{depth}": partial(resnet, depth=depth, stride_on_3x3=True) for depth in BLOCKS},
    **{
        f"resnet{depth}_v1": partial(resnet, depth=depth, stride_on_3x3=False)
        for depth in BOTTLENECK_DEPTHS
    },
}
"""`resnet50` has the stride on the 3x3 convolution (v1.5), `resnet50_v1` on the 1x1 before it"""
