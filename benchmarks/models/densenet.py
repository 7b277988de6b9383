"""DenseNet (Huang et al. 2016, arXiv:1608.06993)."""

from functools import partial

from benchmarks.models.network import Network

# depth -> channels of the stem, channels each layer adds, layers of each block
SHAPES = {
    121: (64, 32, [6, 12, 24, 16]),
    161: (96, 48, [6, 12, 36, 24]),
    169: (64, 32, [6, 12, 32, 32]),
    201: (64, 32, [6, 12, 48, 32]),
}


def norm_relu(net: Network, x: str) -> str:
    """What stands before every convolution but the first."""
    return net.relu(net.batch_norm(x))


def densenet(net: Network, batch: int, *, depth: int) -> dict[str, str]:
    """Four blocks in which every layer reads all before it; each but the last is then halved."""
    stem, growth, blocks = SHAPES[depth]
    x = net.input("data", (batch, 3, 224, 224))
    x = net.max_pool(net.relu(net.conv_bn(x, stem, 7, 2, 3)), 3, 2, 1)
    for block, layers in enumerate(blocks):
        if block > 0:
            x = net.conv(norm_relu(net, x), net.dims(x)[1] // 2, 1)
            x = net.average_pool(x, 2, 2)
        for _ in range(layers):
            y = net.conv(norm_relu(net, x), 4 * growth, 1)
            y = net.conv(norm_relu(net, y), growth, 3, 1, 1)
            x = net.concat([x, y])
    return net.classifier(norm_relu(net, x))


MODELS = {f"densenet{depth}": partial(densenet, depth=depth) for depth in SHAPES}
