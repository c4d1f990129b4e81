"""Texts of Wikipedia: of the simple English one, and a part of the English one."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jaxemb.data.archives import list_files
from jaxemb.data.prepare import Dump, NamedSet, missing_file
from jaxemb.data.text_files import Reading, Source
from jaxemb.data.tokenize import TOKENS
from jaxemb.data.wiki_dump import write_text
from jaxemb.errors import InputError

SIMPLE, ENGLISH = "corpus_simplewiki.txt.xz", "corpus_enwiki_a.txt.xz"
_DUMPS = "https://dumps.wikimedia.org"


def find_simple(data_dir: Path) -> Source:
    """Finds simplewiki; the arguments and errors are `find_english`'s."""
    return _find("simplewiki", data_dir / SIMPLE)


def find_english(data_dir: Path) -> Source:
    """Finds enwiki.

    Args:
      data_dir: folder of the data sets.

    Returns:
      The file, a document an article.

    Raises:
      InputError: if it is missing.
    """
    return _find("enwiki", data_dir / ENGLISH)


def convert(paths: Sequence[Path], folder: Path, *, file: str) -> None:
    """Writes the text of a dump's articles.

    Args:
      paths: what was fetched: pages-articles.xml, whole or in parts.
      folder: where the text goes.
      file: its name.

    Raises:
      InputError: if a dump is damaged or missing.
    """
    dumps = [path for name, path in list_files(paths) if ".xml" in name]
    if not dumps:
        given = ", ".join(map(str, paths))
        raise InputError(f"{given}: is and has no dump named like enwiki-…-pages-articles.xml.bz2")
    write_text(dumps, folder / file)


def _find(name: str, path: Path) -> Source:
    if not path.is_file():
        layout = (
            "UTF-8 text, lower case and without punctuation: a line for each paragraph, a blank "
            "line between articles, the title first"
        )
        raise missing_file(path, name, layout)
    return Source((path,), TOKENS, Reading(documents="paragraph"))


def _newest(wiki: str, name: str) -> Dump:
    """Describes a file of the newest dump, which Wikimedia lists with its checksum."""
    return Dump(
        checksums=f"{_DUMPS}/{wiki}/latest/{wiki}-latest-sha1sums.txt",
        name=re.compile(rf"{wiki}-(\d{{8}})-{name}"),
        folder=f"{_DUMPS}/{wiki}/{{date}}",
    )


SIMPLE_SOURCE = NamedSet(
    name="simplewiki",
    what="all of Simple English Wikipedia",
    license="CC BY-SA 4.0",
    source=f"pages-articles.xml.bz2 of {_DUMPS}/simplewiki/latest/",
    megabytes=330,
    files=(SIMPLE,),
    convert=partial(convert, file=SIMPLE),
    check=find_simple,
    downloads=(_newest("simplewiki", r"pages-articles\.xml\.bz2"),),
)

ENGLISH_SOURCE = NamedSet(
    name="enwiki",
    what="the first part of English Wikipedia",
    license="CC BY-SA 4.0",
    source=f"pages-articles1.xml-p1….bz2 or, for all of it, pages-articles.xml.bz2 (24 GB) of "
    f"{_DUMPS}/enwiki/latest/",
    megabytes=300,
    files=(ENGLISH,),
    convert=partial(convert, file=ENGLISH),
    check=find_english,
    downloads=(_newest("enwiki", r"pages-articles1\.xml-p1p\d+\.bz2"),),
)
