"""Inception v3 (Szegedy et al. 2015, arXiv:1512.00567) as torchvision and Gluon have it."""

from benchmarks.models.network import Network, Pair


def unit(net: Network, x: str, channels: int, kernel: Pair, stride: int = 1, pad: Pair = 0) -> str:
    """Convolution, batch norm, ReLU."""
    return net.relu(net.conv_bn(x, channels, kernel, stride, pad, epsilon=1e-3))


def row(net: Network, x: str, channels: int) -> str:
    """A 1x7 convolution."""
    return unit(net, x, channels, (1, 7), 1, (0, 3))


def column(net: Network, x: str, channels: int) -> str:
    """A 7x1 convolution."""
    return unit(net, x, channels, (7, 1), 1, (3, 0))


def cross(net: Network, x: str) -> str:
    """A 1x3 and a 3x1 convolution of the same value, side by side."""
    across = unit(net, x, 384, (1, 3), 1, (0, 1))
    return net.concat([across, unit(net, x, 384, (3, 1), 1, (1, 0))])


def pooled(net: Network, x: str, channels: int) -> str:
    """The branch that averages first."""
    return unit(net, net.average_pool(x, 3, 1, 1), channels, 1)


def block_a(net: Network, x: str, pool_channels: int) -> str:
    """5x5 and two 3x3, at 35x35."""
    one = unit(net, x, 64, 1)
    five = unit(net, unit(net, x, 48, 1), 64, 5, 1, 2)
    three = unit(net, unit(net, unit(net, x, 64, 1), 96, 3, 1, 1), 96, 3, 1, 1)
    return net.concat([one, five, three, pooled(net, x, pool_channels)])


def block_b(net: Network, x: str) -> str:
    """35x35 to 17x17."""
    three = unit(net, x, 384, 3, 2)
    double = unit(net, unit(net, unit(net, x, 64, 1), 96, 3, 1, 1), 96, 3, 2)
    return net.concat([three, double, net.max_pool(x, 3, 2)])


def block_c(net: Network, x: str, channels: int) -> str:
    """7x7 convolutions factored into rows and columns, at 17x17."""
    one = unit(net, x, 192, 1)
    seven = column(net, row(net, unit(net, x, channels, 1), channels), 192)
    double = row(net, column(net, unit(net, x, channels, 1), channels), channels)
    double = row(net, column(net, double, channels), 192)
    return net.concat([one, seven, double, pooled(net, x, 192)])


def block_d(net: Network, x: str) -> str:
    """17x17 to 8x8."""
    three = unit(net, unit(net, x, 192, 1), 320, 3, 2)
    seven = unit(net, column(net, row(net, unit(net, x, 192, 1), 192), 192), 192, 3, 2)
    return net.concat([three, seven, net.max_pool(x, 3, 2)])


def block_e(net: Network, x: str) -> str:
    """Wide crosses, at 8x8."""
    one = unit(net, x, 320, 1)
    three = cross(net, unit(net, x, 384, 1))
    double = cross(net, unit(net, unit(net, x, 448, 1), 384, 3, 1, 1))
    return net.concat([one, three, double, pooled(net, x, 192)])


def inception_v3(net: Network, batch: int) -> dict[str, str]:
    """The whole network for images of 299x299."""
    x = net.input("data", (batch, 3, 299, 299))
    x = unit(net, unit(net, unit(net, x, 32, 3, 2), 32, 3), 64, 3, 1, 1)
    x = net.max_pool(x, 3, 2)
    x = unit(net, unit(net, x, 80, 1), 192, 3)
    x = net.max_pool(x, 3, 2)
    for pool_channels in (32, 64, 64):
        x = block_a(net, x, pool_channels)
    x = block_b(net, x)
    for channels in (128, 160, 160, 192):
        x = block_c(net, x, channels)
    x = block_d(net, x)
    for _ in range(2):
        x = block_e(net, x)
    return net.classifier(x)


MODELS = {"inception_v3": inception_v3}
