"""Makes plain text of a dump of Wikipedia, streaming it: a word a token, a line a paragraph."""

import lzma
import multiprocessing
import os
import signal
import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from jaxemb.data.compressed import read_blocks
from jaxemb.data.tokenize import words
from jaxemb.data.wiki_markup import paragraphs
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

Page = tuple[str, str]
"""Title and markup."""

# Characters of markup that a process takes at a time: as many seconds of work.
_CHUNK = 4_000_000


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
    waiting: deque[Future[bytes]] = deque()
    workers = os.cpu_count() or 1
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
    )
    bar = progress_bar(total=size, desc="reading articles", unit="B", unit_scale=True, delay=2)
    try:
        with target.open("wb") as file:
            for chunk in _chunks(page for path in paths for page in _read_pages(path, bar)):
                waiting.append(pool.submit(_compress, chunk))
                if len(waiting) > 2 * workers:
                    file.write(waiting.popleft().result())
            while waiting:
                file.write(waiting.popleft().result())
            written = file.tell()
    finally:
        bar.close()
        pool.shutdown(cancel_futures=True)
    if not written:
        raise InputError(f"{', '.join(map(str, paths))}: no article of Wikipedia is in there")


def _read_pages(path: Path, bar: tqdm) -> Iterator[Page]:
    """Yields the articles that are no redirects."""
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


def _chunks(pages: Iterable[Page]) -> Iterator[list[Page]]:
    chunk, size = [], 0
    for page in pages:
        chunk.append(page)
        size += len(page[1])
        if size > _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _compress(pages: list[Page]) -> bytes:
    """Returns the text of articles as a stream of xz, which others may follow in a file."""
    lines = []
    for title, markup in pages:
        found = [" ".join(words(paragraph)) for paragraph in paragraphs(markup)]
        if any(found):
            lines += [" ".join(words(title)), *filter(None, found), ""]
    return lzma.compress("".join(f"{line}\n" for line in lines).encode()) if lines else b""


def _ignore_interrupts() -> None:
    """Leaves Ctrl-C, which a terminal sends to all, to the process that reads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
