"""CPU seconds a picture of 224 x 224 pixels takes for all 75 corruptions, beside the published code's.

    python -m tests.benchmarks.corruptions [--pictures 8]

Needs what tests/interpret/corruptions/published.py names.
"""

import argparse
import time
import warnings

import numpy as np
import torch

import interpret
from interpret import CORRUPTIONS, corrupt
from interpret.bundled import samples
from interpret.corruptions import SEVERITIES


def main() -> None:
    """Print a line for each corruption, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=8)
    count = parser.parse_args().pictures
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    from imagecorruptions import corrupt as published
    from imagecorruptions import corruptions
    from skimage.filters import gaussian

    np.float_ = np.float64
    corruptions.gaussian = lambda image, sigma, multichannel=False, **more: gaussian(
        image, sigma, channel_axis=-1 if multichannel else None, **more
    )
    files = [*samples().values()][:count]
    shown = interpret.Classifier(torch.nn.Identity(), mean=[0], std=[1], input_size=224, resize=256)
    images = torch.cat([shown.prepare(interpret.read(file))[0].clamp(0, 1) for file in files])
    arrays = [np.ascontiguousarray(array) for array in interpret.to_levels(images).permute(0, 2, 3, 1).numpy()]
    totals = np.zeros(2)
    for name in CORRUPTIONS:
        corrupt(images[:1], name)  # and what it imports
        published(arrays[0], 1, name)
        spent = np.zeros(2)
        for severity in SEVERITIES:
            begun = time.process_time()
            corrupt(images, name, severity, seed=range(len(images)))
            middle = time.process_time()
            for array in arrays:
                published(array, severity, name)
            spent += (middle - begun, time.process_time() - middle)
        totals += spent
        ours, theirs = spent / len(images)
        print(f"{name:20} {ours:8.3f} {theirs:8.3f} {theirs / ours:6.1f} x", flush=True)
    print(f"{'all':20} {totals[0] / len(images):8.3f} {totals[1] / len(images):8.3f} {totals[1] / totals[0]:6.1f} x")


if __name__ == "__main__":
    main()
