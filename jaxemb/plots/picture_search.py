"""A page where one types words and sees pictures: one file, no network."""

import base64
import html
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import chex
import numpy as np

from jaxemb.atomic import replacing
from jaxemb.plots import sprites


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
    packed = sprites.pack(images)
    data = {
        "dim": word_vectors.shape[1],
        "words": list(words),
        "word_vectors": _quantized(word_vectors),
        "picture_vectors": _quantized(picture_vectors),
        "names": list(names),
        "examples": list(examples),
        "shown": shown,
        "sprites": {k: v for k, v in packed._asdict().items() if k != "sheets"},
    }
    parts = {
        "title": html.escape(title),
        "about": f"{len(images):,} pictures and {len(words):,} words in one space.",
        # Nothing in a name may end the script.
        "data": json.dumps(data).replace("<", "\\u003c"),
        "sheets": "\n".join(
            f'<script type="text/plain" class="sheet">{sheet}</script>' for sheet in packed.sheets
        ),
        "script": _asset("picture_search.js"),
    }
    template = _asset("picture_search.html")
    # All at once: a part may hold what looks like another's place.
    page = re.sub(rf"\{{({'|'.join(parts)})\}}", lambda found: parts[found[1]], template)
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8")


def _quantized(vectors: np.ndarray) -> dict[str, str]:
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-30) / 127
    rows = np.round(vectors / scales[:, None])
    return {"rows": _encoded(rows, "i1"), "scales": _encoded(scales, "<f4")}


def _encoded(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def _asset(name: str) -> str:
    return (resources.files("jaxemb.plots") / name).read_text(encoding="utf-8")
