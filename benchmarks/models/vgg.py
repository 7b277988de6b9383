"""VGG (Simonyan, Zisserman 2014, arXiv:1409.1556)."""

from functools import partial

from benchmarks.models.network import Network

CONVS = {11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}


def vgg(net: Network, batch: int, *, depth: int) -> dict[str, str]:
    """Five groups of 3x3 convolutions, each followed by pooling, and three dense layers."""
    x = net.input("data", (batch, 3, 224, 224))
    for channels, count in zip([64, 128, 256, 512, 512], CONVS[depth], strict=True):
        for _ in range(count):
            x = net.relu(net.conv(x, channels, 3, 1, 1, bias=True))
        x = net.max_pool(x, 2, 2)
    x = net.flatten(x)
    for _ in range(2):
        x = net.relu(net.dense(x, 4096, gain=2.0))
    return {"output": net.dense(x, 1000)}


MODELS = {f"vgg{depth}": partial(vgg, depth=depth) for depth in CONVS}
