"""A page where one types words and sees pictures: one file, no network."""

import html
from collections.abc import Sequence
from pathlib import Path

import chex
import numpy as np

from jaxemb.plots import sprites
from jaxemb.plots.page import encoded, write_page

_SCRIPTS = ("sheets.js", "picture_search.js")


def write_html(
    path: Path,
    images: np.ndarray,
    picture_vectors: np.ndarray,
    words: Sequence[str],
    word_vectors: np.ndarray,
    *,
    names: Sequence[str],
    examples: Sequence[str] = (),
    shown: int = 60,
    title: str = "Pictures by words",
) -> None:
    """Writes a page that finds pictures by words, and by one another.

    What is typed is the sum of its words' vectors; the pictures of largest cosine are shown. A word
    that has no vector is named. A picture clicked shows the words that are nearest to it, and
    pictures. Vectors are in the page as whole numbers from -127 to 127 and a scale for each: two
    thousand pictures and words of 128 numbers each take 1 MB beside the pictures.

    Args:
      path: the page, such as `search.html`.
      images: [N, H, W] or [N, H, W, 3] uint8.
      picture_vectors: [N, D] finite.
      words: V, all different; case doesn't matter, and there may be blanks in them.
      word_vectors: [V, D] finite; a longer one counts for more.
      names: N, of the pictures.
      examples: words that the page offers before anything is typed.
      shown: pictures, at most.
      title: heading of the page.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    chex.assert_equal_shape_suffix([picture_vectors, word_vectors], 1)
    chex.assert_equal(len(images), len(picture_vectors))
    chex.assert_equal(len(names), len(picture_vectors))
    chex.assert_equal(len(words), len(word_vectors))
    data = {
        "dim": word_vectors.shape[1],
        "words": list(words),
        "word_vectors": _quantized(word_vectors),
        "picture_vectors": _quantized(picture_vectors),
        "names": list(names),
        "examples": list(examples),
        "shown": shown,
    }
    parts = {
        "title": html.escape(title),
        "about": f"{len(images):,} pictures and {len(words):,} words in one space.",
    }
    write_page(path, "picture_search.html", _SCRIPTS, parts, data, sprites.pack(images))


def _quantized(vectors: np.ndarray) -> dict[str, str]:
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-30) / 127
    rows = np.round(vectors / scales[:, None])
    return {"rows": encoded(rows, "i1"), "scales": encoded(scales, "f4")}
