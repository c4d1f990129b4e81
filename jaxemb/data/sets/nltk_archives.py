"""Tagged and judged sentences, as archives of the Natural Language Toolkit."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jaxemb.data.archives import list_files
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.errors import InputError

_URL = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/"
# MD5 checksums, as in the index of nltk_data.
_TAGGED = {
    "brown.zip": "a0a8630959d3d937873b1265b0a05497",
    "treebank.zip": "78c24a97940c2504d0ad35dd3f8a560b",
    "conll2000.zip": "9529b285edd5fe47271da69df1052301",
}
_JUDGED = {
    "sentence_polarity.zip": "5cdc0cae7f558040d050c90eb2b72e97",
    "subjectivity.zip": "a81a44513903ba6bb86f85aeff149561",
}


def convert(paths: Sequence[Path], folder: Path, *, names: Sequence[str], below: str) -> None:
    """Copies archives as they are.

    Args:
      paths: what was fetched.
      folder: where they go.
      names: of the archives.
      below: the folder's own folder for them.
    """
    (folder / below).mkdir()
    for _, path in list_files(paths):
        if path.name in names:
            (folder / below / path.name).write_bytes(path.read_bytes())


def _check(folder: Path, *, names: Sequence[str], below: str) -> None:
    for name in names:
        path = folder / below / name
        if not path.is_file():
            raise InputError(f"{name} is missing")
        if not zipfile.is_zipfile(path):
            raise InputError(f"{name} is no zip archive, or is truncated")


def _describe(name: str, what: str, license_: str, md5: dict[str, str], size: int) -> NamedSet:
    return NamedSet(
        name=name,
        what=what,
        license=license_,
        source=f"{', '.join(md5)} of {_URL}",
        megabytes=size,
        files=tuple(f"{name}/{file}" for file in md5),
        convert=partial(convert, names=tuple(md5), below=name),
        check=partial(_check, names=tuple(md5), below=name),
        downloads=tuple(Download(_URL + file, f"md5:{digits}") for file, digits in md5.items()),
    )


TAGGED = _describe(
    "pos",
    "words with their parts of speech: Brown, a tenth of the Penn Treebank, CoNLL-2000",
    "not commercial (Brown, Treebank), not stated (CoNLL-2000)",
    _TAGGED,
    6,
)
JUDGED = _describe(
    "sentiment",
    "sentences of film reviews: kind or not, and of opinion or not",
    "CC BY 4.0",
    _JUDGED,
    1,
)
