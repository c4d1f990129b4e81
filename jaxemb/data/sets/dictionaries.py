"""Dictionaries for translation by word vectors: of XLing-Eval and of MUSE."""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.prepare import NamedSet
from jaxemb.data.text_files import decode
from jaxemb.errors import InputError

_FOLDER = Path("bli")
_SOURCES = re.compile(
    r"(?:^|/)(?P<yacle>yacle\.(?:train|test)\.freq\.\w+\.[a-z]{2}-[a-z]{2}\.tsv)$"
    r"|(?:^|/)(?P<pair>[a-z]{2}-[a-z]{2})\.(?P<rows>0-5000|5000-6500)\.txt$"
)
_MUSE = {"0-5000": "muse.train.5k", "5000-6500": "muse.test.1500"}


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes pairs of words, a tab between them.

    Args:
      paths: what was fetched.
      folder: where they go.

    Raises:
      InputError: at a line that isn't two words, and if there is no dictionary.
    """
    target = folder / _FOLDER
    target.mkdir()
    for member in read_members(paths, _SOURCES, most=1 << 24):
        found = member.found
        name = found["yacle"] or f"{_MUSE[found['rows']]}.{found['pair']}.tsv"
        lines = []
        for number, line in enumerate(decode(member.data, Path(member.name)).splitlines(), 1):
            words = line.split()
            if len(words) != 2:
                raise InputError(
                    f"{member.name}: line {number}: expected two words, found {line[:80]!r}"
                )
            lines.append("\t".join(words) + "\n")
        (target / name).write_text("".join(lines), encoding="utf-8")
    if not any(target.iterdir()):
        given = ", ".join(map(str, paths))
        raise InputError(
            f"{given}: has no dictionary: yacle.train.freq.5k.en-de.tsv (XLing-Eval), "
            "en-de.0-5000.txt (MUSE) or others like these"
        )


SOURCE = NamedSet(
    name="dictionaries",
    what="pairs of words of two languages",
    license="CC BY-NC 4.0 (MUSE), not stated (XLing-Eval)",
    source="a clone or the zip archive of https://github.com/codogogo/xling-eval, or the "
    "dictionaries of https://github.com/facebookresearch/MUSE",
    megabytes=0,
    files=("bli/*.tsv",),
    convert=convert,
    check=lambda folder: None,
)
