"""Makes plain text of a dump of Wikipedia, streaming it: a word a token, a line a paragraph."""

import lzma
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from jaxemb.data.compressed import read_blocks
from jaxemb.data.tokenize import words
from jaxemb.data.wiki_markup import paragraphs
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar


def write_text(paths: Sequence[Path], target: Path) -> None:
    """Writes the articles of a dump as lower-case words without punctuation.

    The title comes first, then each paragraph on a line; a blank line is between articles.
    Redirects, pages that are no articles and articles without a paragraph are left out.

    Args:
      paths: pages-articles.xml of MediaWiki, whole or in parts, however compressed.
      target: the file, compressed by xz.

    Raises:
      InputError: if a file is damaged or no dump, or there is no article.
    """
    size = sum(path.stat().st_size for path in paths)
    bar = progress_bar(total=size, desc="reading articles", unit="B", unit_scale=True, delay=2)
    articles = 0
    # A higher preset takes three times as long as all the rest and saves a quarter.
    with bar, lzma.open(target, "wt", preset=1, encoding="utf-8", newline="") as file:
        for path in paths:
            for title, markup in _read_pages(path, bar):
                lines = [" ".join(words(paragraph)) for paragraph in paragraphs(markup)]
                if any(lines):
                    articles += 1
                    kept = [" ".join(words(title)), *filter(None, lines), ""]
                    file.write("".join(f"{line}\n" for line in kept))
    if not articles:
        raise InputError(f"{', '.join(map(str, paths))}: no article of Wikipedia is in there")


def _read_pages(path: Path, bar: tqdm) -> Iterator[tuple[str, str]]:
    """Yields title and markup of the articles that are no redirects."""
    parser: Any = ElementTree.XMLPullParser(["start", "end"])
    root: ElementTree.Element | None = None
    before = 0
    try:
        for block, position in read_blocks(path):
            bar.update(position - before)
            before = position
            parser.feed(block)
            for event, element in parser.read_events():
                root = element if root is None else root
                if event == "end" and _tag(element) == "page":
                    parts = {_tag(part): part.text or "" for part in element.iter()}
                    if parts.get("ns", "0").strip() == "0" and "redirect" not in parts:
                        yield parts.get("title", ""), parts.get("text", "")
                    root.clear()  # of what is behind, or all of it would stay
        parser.close()
    except ElementTree.ParseError as error:
        raise InputError(
            f"{path}: is no dump of MediaWiki in XML, or is truncated: {error}"
        ) from error


def _tag(element: ElementTree.Element) -> str:
    """Returns the name without that of the format's version."""
    return element.tag.rpartition("}")[2]
