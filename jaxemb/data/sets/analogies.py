"""Google's analogies: questions of four words."""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.data.word_sets import read_analogies

FILE = "questions-words.txt"
_SOURCES = re.compile(r"(?:^|/)questions-words\.txt$")


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Copies the questions, also out of an archive.

    Args:
      paths: what was fetched.
      folder: where they go.
    """
    for member in read_members(paths, _SOURCES, most=1 << 24):
        (folder / FILE).write_bytes(member.data)


SOURCE = NamedSet(
    name="analogies",
    what="19,544 questions of 14 relations",
    license="Apache-2.0",
    source="http://download.tensorflow.org/data/questions-words.txt",
    megabytes=1,
    files=(FILE,),
    convert=convert,
    check=lambda folder: read_analogies(folder / FILE),
    # As in GluonNLP.
    downloads=(
        Download(
            "http://download.tensorflow.org/data/questions-words.txt",
            "sha1:fa92df4bbe788f2d51827c762c63bd8e470edf31",
        ),
    ),
)
