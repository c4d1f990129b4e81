"""Multi30k: captions of pictures, translated (task 1) and independent of each other (task 2)."""

import gzip
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.captions import read_captions
from jaxemb.data.prepare import NamedSet

_FOLDER = Path("multi30k")
_SPLITS, _LANGUAGES = ("train", "val", "test_2016"), ("en", "de")
# Files of the authors' repository, and of folders laid out as ours.
_SOURCES = re.compile(
    r"(?:^|/)(?P<pairs>(?:train|val|test_201\d_[a-z]+)\.(?:en|de|fr|cs))$"
    r"|(?:^|/)(?P<captions>(?:train|val|test_2016)\.[1-5]\.(?:en|de))$"
)


def files(data_dir: Path, split: str, language: str) -> list[Path]:
    """Names the five files of captions that are independent of each other.

    Args:
      data_dir: folder of the data sets.
      split: train, val or test_2016.
      language: en or de.

    Returns:
      The files; line i of each describes picture i.
    """
    folder = data_dir / _FOLDER / "task2"
    return [folder / f"{split}.{number}.{language}.gz" for number in range(1, 6)]


def translations(data_dir: Path, split: str, languages: Sequence[str]) -> list[Path]:
    """Names the files of one caption of each picture, and of its translations.

    Args:
      data_dir: folder of the data sets.
      split: train, val, test_2016_flickr, test_2017_flickr or test_2017_mscoco.
      languages: of en, de, fr and cs.

    Returns:
      A file for each language; line i of each says the same.
    """
    return [data_dir / _FOLDER / f"{split}.{language}.gz" for language in languages]


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the captions, compressed.

    Args:
      paths: what was fetched.
      folder: where they go.
    """
    (folder / _FOLDER / "task2").mkdir(parents=True)
    for member in read_members(paths, _SOURCES, most=1 << 26):
        below = Path(member.found["pairs"] or f"task2/{member.found['captions']}")
        target = folder / _FOLDER / f"{below}.gz"
        target.write_bytes(gzip.compress(member.data, mtime=0))


def _check(folder: Path) -> None:
    for split, language in itertools.product(_SPLITS, _LANGUAGES):
        read_captions(files(folder, split, language))


SOURCE = NamedSet(
    name="multi30k",
    what="31,014 pictures: five captions each in English and in German, translations",
    license="not stated; for research",
    source="a clone or the zip archive of https://github.com/multi30k/dataset",
    megabytes=0,
    files=("multi30k/task2/train.*.gz", "multi30k/task2/val.*.gz", "multi30k/task2/test_2016.*.gz"),
    convert=convert,
    check=_check,
)
