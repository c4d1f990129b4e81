"""What there is to say about a text: what was changed, and what may not be as it is meant."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from jaxemb.data.text_files import Piece, Reading
from jaxemb.data.tokenize import Tokenizer
from jaxemb.data.word_ids import Changes

Note = tuple[Literal["info", "warning"], str]

# Lines to look at for hard wraps, and fewest to judge by.
_MOST_LINES, _FEWEST_LINES = 2000, 20


class Notes:
    """Collects while text is read."""

    def __init__(self) -> None:
        """Starts with nothing seen."""
        self._undecodable = 0
        self._files: dict[Path, str] = {}  # with undecodable bytes
        self._lines: list[str] = []
        self._changes: dict[str, Changes] = {}

    def see(self, file: Path, piece: Piece, reading: Reading) -> None:
        """Looks at part of a file."""
        if piece.undecodable:
            self._undecodable += piece.undecodable
            self._files[file] = "replaced by U+FFFD" if reading.errors == "replace" else "skipped"
        if reading.documents == "line" and reading.column is None:
            room = _MOST_LINES - len(self._lines)
            self._lines += piece.texts[:room] if room > 0 else []

    def see_changes(self, tokenizer: Tokenizer, changes: Changes) -> None:
        """Takes what a tokenizer changed."""
        if tokenizer.name in ("words", "whitespace"):
            before = self._changes.get(tokenizer.name, Changes())
            self._changes[tokenizer.name] = before.and_of(changes)

    def sentences(self) -> list[Note]:
        """Returns what there is to say."""
        found: list[Note] = []
        for name, changes in self._changes.items():
            found += _of_changes(name, changes)
        if self._files:
            first, what = next(iter(self._files.items()))
            more = f" and {len(self._files) - 1} other files" if len(self._files) > 1 else ""
            found.append(
                (
                    "warning",
                    f"{self._undecodable:,} bytes that are no text in the encoding were "
                    f"{what}, in {first}{more}",
                )
            )
        if looks_wrapped(self._lines):
            found.append(
                (
                    "warning",
                    "the lines look wrapped at a width, but each is taken for a document: "
                    "neighbors across line ends are lost. documents can be paragraph (with blank "
                    "lines between) or file instead of line",
                )
            )
        return found


def looks_wrapped(lines: Sequence[str]) -> bool:
    """Tells whether lines seem to be parts of paragraphs that were broken at a width.

    They do if nearly every one that another follows has no room left for the first word of it.
    """
    lines = [line.strip() for line in lines]
    lengths = np.array([len(line) for line in lines])
    pairs = [
        (len(line), len(line) + 1 + len(following.split(None, 1)[0]), line.count(" "))
        for line, following in zip(lines, lines[1:], strict=False)
        if line and following
    ]
    if len(pairs) < _FEWEST_LINES:
        return False
    table = np.array(pairs)
    width = np.quantile(lengths, 0.99)
    # Sentences of so many words each are no paragraph.
    alike = np.bincount(table[:, 2]).max() > 0.9 * len(table)
    return bool(20 <= width <= 200 and not alike and np.mean(table[:, 1] > width) > 0.75)


def _of_changes(name: str, changes: Changes) -> Iterable[Note]:
    told = []
    if changes.lowered:
        told.append(f"{changes.lowered / changes.tokens:.1%} were lower-cased")
    if changes.cut:
        examples = "; ".join(
            f"{token[:40]} is now {' '.join(words)[:40] or 'left out'}"
            for token, words in changes.cuts
        )
        told.append(f"{changes.cut / changes.tokens:.1%} were cut ({examples})")
    if told:
        lowered, cut = bool(changes.lowered), bool(changes.cut)
        ways = ["`keep_case`"] * lowered + ["tokenizer='whitespace'"] * cut
        yield (
            "info",
            f"tokenizer {name}: of {changes.tokens:,} tokens between white space "
            f"{' and '.join(told)}; {' and '.join(ways)} keep{'s' * (len(ways) == 1)} them",
        )
    # Of text with spaces between words at most a tenth is as long, of clauses most.
    if changes.long > 0.25 * changes.unspaced:
        yield (
            "warning",
            f"text without spaces, in Chinese, Japanese, Thai or the like: words such as "
            f"{changes.clause[:40]} are whole clauses. The tokenizer can be characters, or a "
            "function that finds words: jieba:lcut for Chinese, pythainlp:word_tokenize for Thai, "
            "or yours",
        )
