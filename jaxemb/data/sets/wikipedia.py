"""Texts of Wikipedia: of the simple English one, and a part of the English one."""

from pathlib import Path

from jaxemb.data.text_files import Reading, Source
from jaxemb.data.tokenize import TOKENS
from jaxemb.errors import InputError

SIMPLE, ENGLISH = "corpus_simplewiki.txt.xz", "corpus_enwiki_a.txt.xz"


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


def _find(name: str, path: Path) -> Source:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file. {name} is expected there as UTF-8 text, lower case and without "
            "punctuation: a line for each paragraph, a blank line between articles, the title "
            "first. data_dir or JAXEMB_DATA names the folder"
        )
    return Source((path,), TOKENS, Reading(documents="paragraph"))
