"""
Classify the held-out digits with the compiled network, and show some of them.

    .venv/bin/python examples/digits/demo.py
"""

import time
from pathlib import Path

import numpy as np

import lamina

HERE = Path(__file__).parent
SHADES = " .:-=+*#%@"


def shown(images: np.ndarray) -> str:
    """Images of pixels from 0 to 16 side by side, two characters a pixel."""
    return "\n".join(
        "   ".join("".join(SHADES[pixel * 9 // 16] * 2 for pixel in row) for row in rows)
        for rows in images.swapaxes(0, 1)
    )


def main() -> None:
    """Compile, classify, report."""
    with np.load(HERE / "held_out.npz") as held_out:
        images, labels = held_out["images"], held_out["labels"]
    start = time.perf_counter()
    model = lamina.compile(HERE / "digits.onnx")
    print(f"compiled digits.onnx in {time.perf_counter() - start:.2f} s")

    inputs = images[:, None, None] / np.float32(16)  # each image as 1x1x8x8
    start = time.perf_counter()
    found = np.array([model(x).argmax() for x in inputs])
    microseconds = (time.perf_counter() - start) / len(images) * 1e6

    wrong = np.flatnonzero(found != labels)
    some = np.concatenate([wrong[:3], np.flatnonzero(found == labels)])[:6]
    print(shown(images[some]))
    print("".join(f"{f'{labels[i]}, read as {found[i]}':^19}" for i in some))
    share = 1 - len(wrong) / len(images)
    print(
        f"{len(images) - len(wrong)} of {len(images)} held-out digits are read correctly:"
        f" accuracy {share:.1%}, {microseconds:.0f} us an image"
    )


if __name__ == "__main__":
    main()
