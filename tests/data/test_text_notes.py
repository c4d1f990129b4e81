import textwrap
from pathlib import Path

import numpy as np
import pytest

from jaxemb.data.text_files import PLAIN, Piece, Reading
from jaxemb.data.text_notes import Notes, looks_wrapped
from jaxemb.data.tokenize import as_tokenizer
from jaxemb.data.word_ids import Changes

RNG = np.random.default_rng(0)


def prose(sentences: int) -> list[str]:
    """Sentences of words of many lengths."""
    return [
        " ".join("x" * n for n in RNG.integers(1, 11, size=RNG.integers(4, 25))) + "."
        for _ in range(sentences)
    ]


@pytest.mark.parametrize("width", [40, 72, 100])
def test_wrapped_lines_are_seen(width):
    paragraphs = [textwrap.wrap(" ".join(prose(8)), width) for _ in range(9)]
    assert looks_wrapped([line for lines in paragraphs for line in ["", *lines]])
    indented = [line for first, *rest in paragraphs for line in [f"  {first}", *rest]]
    assert looks_wrapped(indented)


def test_other_lines_are_not():
    assert not looks_wrapped(prose(200))
    assert not looks_wrapped([" ".join(prose(5)) for _ in range(100)])  # paragraphs a line
    words = np.array(["red", "blue", "green", "white"])
    assert not looks_wrapped([" ".join(line) for line in words[RNG.integers(4, size=(200, 8))]])
    assert not looks_wrapped(["sku-001 sku-002 sku-003 sku-004"] * 100)
    assert not looks_wrapped(textwrap.wrap(" ".join(prose(3)), 72))  # too few to tell
    assert not looks_wrapped([])


def test_what_there_is_to_say():
    notes = Notes()
    notes.see(
        Path("a"), Piece(textwrap.wrap(" ".join(prose(99)), 72), 9, 3), Reading(errors="skip")
    )
    notes.see(Path("b"), Piece(["x"], 9, 4), Reading(errors="skip"))
    notes.see_changes(
        as_tokenizer("words"),
        Changes(40, 10, 4, 8, 3, (("C++", ("c",)), ("--", ())), "\u4e2d" * 50),
    )
    said, clause = notes.sentences(), "\u4e2d" * 40
    assert [level for level, _ in said] == ["info", "warning", "warning", "warning"]
    assert said[0][1] == (
        "tokenizer words: of 40 tokens between white space 25.0% were lower-cased and 10.0% were "
        "cut (C++ is now c; -- is now left out); `keep_case` and tokenizer='whitespace' keep them"
    )
    assert f"words such as {clause} are whole clauses" in said[1][1]
    assert (
        "7 bytes that are no text in the encoding were skipped, in a and 1 other files"
        in said[2][1]
    )
    assert "the lines look wrapped at a width" in said[3][1]


def test_nothing_to_say():
    notes = Notes()
    notes.see(Path("a"), Piece(prose(200), 9), PLAIN)
    notes.see(
        Path("a"), Piece(textwrap.wrap(" ".join(prose(99)), 72), 9), Reading(documents="file")
    )
    notes.see_changes(as_tokenizer("characters"), Changes(40, 10, 4))
    notes.see_changes(as_tokenizer("words"), Changes(40, unspaced=30, long=7))
    assert notes.sentences() == []
