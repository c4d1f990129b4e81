"""Tatoeba: everyday sentences with their translations."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.dictionaries import read_dictionary
from jaxemb.data.prepare import NamedSet, missing_file
from jaxemb.data.text_files import decode
from jaxemb.errors import InputError

_FOLDER = Path("tatoeba")
_LANGUAGES = {"de": "deu", "fr": "fra"}
_SOURCES = re.compile(r"(?:^|/)(?P<language>[a-z]{3})\.txt$")


def read(data_dir: Path, language: str) -> tuple[Path, list[tuple[str, str]]]:
    """Reads English sentences and their translations; one may have several.

    Args:
      data_dir: folder of the data sets.
      language: de or fr.

    Returns:
      The file and its pairs.

    Raises:
      InputError: if the file is missing or a line is no pair.
    """
    path = data_dir / _FOLDER / f"eng-{_LANGUAGES[language]}.tsv.gz"
    if not path.is_file():
        raise missing_file(path, "tatoeba", "a sentence and its translation a line, a tab between")
    return path, read_dictionary(path)


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes pairs of sentences, a tab between them, compressed.

    Args:
      paths: what was fetched.
      folder: where they go.

    Raises:
      InputError: if a line is no pair, or there is no file of pairs.
    """
    target = folder / _FOLDER
    target.mkdir()
    for member in read_members(paths, _SOURCES, most=1 << 28):
        lines = []
        for number, line in enumerate(decode(member.data, Path(member.name)).split("\n"), 1):
            # Who wrote a sentence follows it.
            columns = line.strip().split("\t")[:2]
            if len(columns) == 2:
                lines.append("\t".join(columns) + "\n")
            elif line.strip():
                raise InputError(
                    f"{member.name}: line {number}: expected two sentences with a tab between "
                    f"them, found {line[:80]!r}"
                )
        name = f"eng-{member.found['language']}.tsv.gz"
        (target / name).write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    if not any(target.iterdir()):
        given = ", ".join(map(str, paths))
        raise InputError(f"{given}: has no pairs of sentences, such as deu.txt of deu-eng.zip")


SOURCE = NamedSet(
    name="tatoeba",
    what="everyday sentences with their translations",
    license="CC BY 2.0 FR",
    source="deu-eng.zip and fra-eng.zip of https://www.manythings.org/anki/",
    megabytes=0,
    files=tuple(f"tatoeba/eng-{code}.tsv.gz" for code in _LANGUAGES.values()),
    convert=convert,
    check=lambda folder: [read(folder, language) for language in _LANGUAGES],
)
