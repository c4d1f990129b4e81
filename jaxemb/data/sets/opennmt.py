"""The 10,000 English and German sentences that OpenNMT is tried with."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.captions import read_captions
from jaxemb.data.prepare import NamedSet

_FOLDER = Path("opennmt_ende")
_SOURCES = re.compile(r"(?:^|/)(?P<side>src|tgt)-train\.txt$|(?:^|/)train\.(?P<language>en|de)$")
_SIDES = {"src": "en", "tgt": "de"}


def files(data_dir: Path) -> list[Path]:
    """Names the English file and the German one; line i of each says the same."""
    return [data_dir / _FOLDER / f"train.{language}.gz" for language in _SIDES.values()]


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the sentences, compressed.

    Args:
      paths: what was fetched.
      folder: where they go.
    """
    (folder / _FOLDER).mkdir()
    for member in read_members(paths, _SOURCES, most=1 << 28):
        language = member.found["language"] or _SIDES[member.found["side"]]
        target = folder / _FOLDER / f"train.{language}.gz"
        target.write_bytes(gzip.compress(member.data, mtime=0))


SOURCE = NamedSet(
    name="opennmt",
    what="10,000 sentences in English and in German",
    license="MIT (of the repository)",
    source="src-train.txt and tgt-train.txt of https://github.com/OpenNMT/OpenNMT-py, folder data",
    megabytes=0,
    files=("opennmt_ende/train.en.gz", "opennmt_ende/train.de.gz"),
    convert=convert,
    check=lambda folder: read_captions(files(folder), wordless=True),
)
