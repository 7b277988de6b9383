"""
Below the graph level nothing knows what network it compiles: a pass there that names one of its
operators works for that operator only.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("passes/te", "passes/loop", "passes/vector", "backends")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".h", ".c", ".cc", ".cpp", ".cl", ".md")
)

# Also as part of a name: `fuse_conv_relu`, `Conv2dOp`, `is_maxpool`, but not `convert`.
OPERATORS = """
    conv conv1d conv2d conv3d convs convolution convolutional depthwise pointwiseconv deconv
    gemm matmul dense fc classifier
    relu relu6 prelu elu selu gelu silu swish mish hardswish hardsigmoid softmax logsoftmax softplus
    pool pools pool2d maxpool avgpool pooling averagepool globalaveragepool globalmaxpool
    batchnorm batchnormalization layernorm instancenorm groupnorm lrn dropout
    attention embedding lstm gru rnn upsample nms nonmaxsuppression
"""
MODELS = """
    onnx resnet vgg densenet inception mobilenet squeezenet alexnet googlenet efficientnet yolo ssd
    bert gpt llama transformer imagenet
"""
FORBIDDEN = {*OPERATORS.split(), *MODELS.split()}
OTHER_MEANINGS = re.compile(
    r"Dense(IntOrFPElements|Array|Resource)\w*|\bdense<|"  # MLIR's literals of many numbers
    r"\b(lamina_)?thread[ _]?pools?\b|\bpools? of threads\b|ThreadPool|"
    r"\b(lamina_pool\w*|LAMINA_POOL)\b"  # the C interface of the threads, and their choice
)


def words(text: str) -> list[str]:
    """The words in a text; `MaxPool2dOp` and `max_pool2d` both hold `max` and `pool2d`."""
    text = OTHER_MEANINGS.sub(" ", text)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return [word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", spaced.replace("_", " "))]


def names_of_networks(text: str) -> list[str]:
    """Every word that only somebody who knows the network would use."""
    found: list[str] = []
    previous = ""
    for word in words(text):
        stem = re.sub(r"\d+d?$", "", word)
        pair = previous + word
        for candidate in sorted({word, stem, pair}):
            if candidate in FORBIDDEN:
                found.append(candidate)
        previous = word
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_names_no_operator_or_network(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), 1)
    found = [f"{n}: {', '.join(bad)}" for n, line in lines if (bad := names_of_networks(line))]
    assert not found, f"say what the loop nest is instead, in lines {found}"
    assert not names_of_networks(path.stem)


def test_files_are_found() -> None:
    assert all(any(path.is_relative_to(ROOT / f) for path in FILES) for f in FOLDERS)


@pytest.mark.parametrize(
    "text",
    ["Conv2dOp", "fuse_conv_bias", "a ReLU", "max_pool2d", "MaxPool", "resnet50", "graph.dense"],
)
def test_check_sees_names(text: str) -> None:
    assert names_of_networks(text)


@pytest.mark.parametrize(
    "text",
    [
        "vec.convert",
        "by convention",
        "a thread pool",
        "ThreadPool",
        "condense",
        "dense<[1.0, 2.0]>",
    ],
)
def test_check_leaves_other_words_alone(text: str) -> None:
    assert not names_of_networks(text)
