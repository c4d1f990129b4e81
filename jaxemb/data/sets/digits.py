"""The small handwritten digits that scikit-learn brings along."""

from pathlib import Path

import numpy as np

from jaxemb.data.images import Choose, LabeledImages


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads them; no file is needed.

    Args:
      data_dir: not used.
      choose: which of the 1,797.

    Returns:
      [N, 8, 8] images, white ink on black, from 0 to 16.
    """
    from sklearn.datasets import load_digits  # half a second, and few need it

    digits = load_digits()
    rows = choose(len(digits.images))
    return LabeledImages(
        digits.images[rows].astype(np.uint8),
        digits.target[rows].astype(np.int32),
        tuple("0123456789"),
        white=16,
    )
