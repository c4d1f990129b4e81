"""Named data sets, one file each. A new one needs its file and its line in a table below.

`omniglot`, `emoji`, `multi30k`, `tatoeba`, `opennmt` and `movielens` are in no table of readers:
theirs return more than labeled images or text.
"""

from collections.abc import Callable
from pathlib import Path

from jaxemb.data.images import Choose, LabeledImages
from jaxemb.data.prepare import NamedSet
from jaxemb.data.sets import (
    analogies,
    cifar10,
    dictionaries,
    digits,
    emoji,
    faces,
    mnist,
    movielens,
    multi30k,
    nltk_archives,
    omniglot,
    opennmt,
    pydocs,
    similarity,
    tatoeba,
    text8,
    wikipedia,
)
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

SOURCES: dict[str, NamedSet] = {
    source.name: source
    for source in (
        mnist.SOURCE,
        cifar10.SOURCE,
        faces.SOURCE,
        omniglot.SOURCE,
        text8.SOURCE,
        wikipedia.SIMPLE_SOURCE,
        wikipedia.ENGLISH_SOURCE,
        similarity.SOURCE,
        analogies.SOURCE,
        dictionaries.SOURCE,
        emoji.SOURCE,
        multi30k.SOURCE,
        tatoeba.SOURCE,
        opennmt.SOURCE,
        movielens.SOURCE,
        nltk_archives.TAGGED,
        nltk_archives.JUDGED,
    )
}
"""Those that `jaxemb data` prepares; `digits` and `pydocs` are there already."""
