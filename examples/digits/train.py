"""
Train the digits network and write it, `digits.onnx`, beside this file, with images to test it,
`held_out.npz`, and to quantize it, `calibration.npz`.

    .venv/bin/pip install -e '.[train]' && .venv/bin/python examples/digits/train.py

The images are scikit-learn's handwritten digits (8x8, 1797 of them); a fifth is held out. The run
takes a minute or two on one core, and the same seed gives the same split.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

HERE = Path(__file__).parent


def conv_bn(inputs: int, outputs: int) -> nn.Sequential:
    """A 3x3 convolution that keeps the image's size, and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
    )


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x))))"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            conv_bn(channels, channels), nn.ReLU(), conv_bn(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """One step of the network."""
        return torch.relu(x + self.branch(x))


class DigitsNet(nn.Module):
    """54 000 weights: every kind of layer a ResNet has, once or twice."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv_bn(1, 16), nn.ReLU(), Residual(16), nn.MaxPool2d(2),
            conv_bn(16, 48), nn.ReLU(), Residual(48), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.classify = nn.Linear(48, 10)

    def forward(self, image: Tensor) -> Tensor:
        """The logarithms of the odds of each digit."""
        return self.classify(self.features(image))


def shifted(images: Tensor, random: torch.Generator) -> Tensor:
    """Each image moved by up to one pixel: the only augmentation."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    moves = torch.randint(0, 3, (len(images), 2), generator=random)
    return torch.stack(
        [image[:, y : y + 8, x : x + 8] for image, (y, x) in zip(padded, moves, strict=True)]
    )


def train(images: Tensor, labels: Tensor, epochs: int, seed: int) -> DigitsNet:
    """A network fitted to the images."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    net = DigitsNet().train()
    batch, steps = 64, epochs * (len(images) // 64)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        order = torch.randperm(len(images), generator=random)
        for chosen in order[: len(order) // batch * batch].split(batch):
            loss = loss_of(net(shifted(images[chosen], random)), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)
    return net.eval()


def export(net: DigitsNet, path: Path) -> None:
    """Write the network, with its batch norms and a softmax, for one image at a time."""
    whole = nn.Sequential(net, nn.Softmax(dim=1)).eval()
    torch.onnx.export(
        whole,
        (torch.zeros(1, 1, 8, 8),),
        str(path),
        input_names=["image"],
        output_names=["probability"],
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,  # as it is: batch norms are not folded
        do_constant_folding=False,
        dynamo=False,
    )


def main() -> None:
    """Train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()

    digits = load_digits()
    images = digits.images.astype(np.uint8)  # 0 to 16
    fitted, held, fitted_labels, held_labels = train_test_split(
        images, digits.target, test_size=0.2, random_state=chosen.seed, stratify=digits.target
    )
    as_input = lambda array: torch.from_numpy(array[:, None] / np.float32(16))  # noqa: E731
    net = train(as_input(fitted), torch.from_numpy(fitted_labels), chosen.epochs, chosen.seed)
    with torch.no_grad():
        found = net(as_input(held)).argmax(1).numpy()
    print(f"{(found == held_labels).sum()} of {len(held)} held-out images are classified correctly")
    export(net, HERE / "digits.onnx")
    np.savez_compressed(HERE / "held_out.npz", images=held, labels=held_labels.astype(np.uint8))
    some = fitted[:100, None] / np.float32(16)
    np.savez_compressed(HERE / "calibration.npz", image=some)


if __name__ == "__main__":
    main()
