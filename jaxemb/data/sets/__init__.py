"""Named data sets, one file each. A new one needs its file and its line in a table below.

`omniglot` and `multi30k` are in no table: their readers return more than labeled images or text.
"""

from collections.abc import Callable
from pathlib import Path

from jaxemb.data.images import Choose, LabeledImages
from jaxemb.data.sets import cifar10, digits, faces, mnist, pydocs, text8, wikipedia
from jaxemb.data.text_files import Source

IMAGES: dict[str, Callable[[Path, Choose], LabeledImages]] = {
    "digits": digits.read,
    "mnist": mnist.read,
    "cifar10": cifar10.read,
    "faces": faces.read,
}
"""Readers of (folder of the data sets, which of N images)."""

CORPORA: dict[str, Callable[[Path], Source]] = {
    "pydocs": pydocs.find,
    "text8": text8.find,
    "simplewiki": wikipedia.find_simple,
    "enwiki": wikipedia.find_english,
}
"""Finders of a text in the folder of the data sets."""
