"""What is forgiven of a file, and that it is told."""

import logging

import numpy as np
import pytest

from jaxemb import io
from jaxemb.errors import InputError

V = np.arange(1, 13, dtype=np.float32).reshape(6, 2)


def binary(words, vectors, *, claimed=None, end=b""):
    rows = [
        word + b" " + row.astype("<f4").tobytes() + end
        for word, row in zip(words, vectors, strict=True)
    ]
    return b"%d %d\n" % (claimed or len(rows), vectors.shape[1]) + b"".join(rows)


def text(words, vectors, *, claimed=None, end=b"", between=b" "):
    rows = [
        word + b"".join(between + b"%g" % number for number in row) + b"\n"
        for word, row in zip(words, vectors.tolist(), strict=True)
    ]
    return b"%d %d\n" % (claimed or len(rows), vectors.shape[1]) + b"".join(rows) + end


def glove(words, vectors, **options):
    return text(words, vectors, **options).partition(b"\n")[2]


@pytest.fixture
def read(tmp_path, caplog):
    """Reads bytes; returns the table and what was told."""

    def run(content, **options):
        path = tmp_path / "v.vec"
        path.write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = io.read(path, **options)
        told = [message.removeprefix(f"{path}: ") for message in caplog.messages]
        assert len(told) <= 1
        return found.words, found.vectors.tolist(), "".join(told)

    return run


def assert_refused(read, content, *messages, **options):
    with pytest.raises(InputError) as error:
        read(content, **options)
    for message in messages:
        assert message in str(error.value)


EVERY = [text, glove, binary]


@pytest.mark.parametrize("form", EVERY)
def test_of_equal_words_the_first_is_kept(read, form):
    content = form([b"a", b"b", b"a", b"c", b"b", b"a"], V)
    assert_refused(read, content, "word 'a' was already in", "lenient=True keeps the first")
    words, vectors, told = read(content, lenient=True)
    assert (words, vectors) == (["a", "b", "c"], V[[0, 1, 3]].tolist())
    assert told == "repeated words left out: 3"


@pytest.mark.parametrize("form", [text, binary])
@pytest.mark.parametrize("claimed", [5, 7, 60])
def test_rows_are_counted_where_line_1_claims_another_number(read, form, claimed):
    content = form([b"a", b"b", b"c", b"d", b"e", b"f"], V, claimed=claimed)
    assert_refused(read, content, "line 1 claims", "lenient=True")
    words, vectors, told = read(content, lenient=True)
    assert (words, vectors) == (list("abcdef"), V.tolist())
    assert told == f"rows, where line 1 claims {claimed}: 6"


def test_a_cut_row_is_no_row(read):
    assert_refused(
        read, text([b"a", b"b"], V[:2])[:-3], "must hold 2 numbers, found 1", lenient=True
    )
    assert_refused(read, binary([b"a", b"b"], V[:2])[:-3], "row 1, at byte", lenient=True)


@pytest.mark.parametrize("end", [b"\n", b"\n\n\n", b" \r\n\t\n", b"   "])
@pytest.mark.parametrize("form", [text, glove])
def test_blank_last_lines_are_no_rows(read, form, end):
    assert read(form([b"a", b"b"], V[:2], end=end)) == (["a", "b"], V[:2].tolist(), "")


def test_blank_last_lines_across_blocks(read, monkeypatch):
    monkeypatch.setattr("jaxemb.io.text_rows.BLOCK", 3)
    assert read(text([b"a", b"b"], V[:2], end=b"\n" * 9))[0] == ["a", "b"]
    between = text([b"a"], V[:1], claimed=2) + b"\n" * 9 + b"b 3 4\n"
    assert_refused(read, between, "line 4: one row more than the 2")
    assert read(between, lenient=True) == (["a", "b"], V[:2].tolist(), "blank lines left out: 9")


def test_blank_lines_in_between(read):
    content = glove([b"a", b"b"], V[:2]).replace(b"\n", b"\n \n", 1)
    assert_refused(read, content, "line 2: is blank. lenient=True leaves it out")
    assert read(content, lenient=True) == (["a", "b"], V[:2].tolist(), "blank lines left out: 1")


@pytest.mark.parametrize("form", [text, glove])
def test_empty_words(read, form):
    content = form([b"a", b"", b"c"], V[:3])
    assert_refused(read, content, "word '' is empty", "lenient=True leaves empty words out")
    expected = (["a", "c"], V[[0, 2]].tolist(), "empty words left out: 1")
    assert read(content, lenient=True) == expected


SPACES = ["new york", "a", "0,0 km²", " ", ". .", "1 000 km"]


@pytest.mark.parametrize("form", [text, glove])
@pytest.mark.parametrize("between", [b" ", b"\t"])
def test_words_of_text_may_hold_white_space(read, form, between):
    content = form([word.encode() for word in SPACES], V, between=between)
    assert read(content) == (SPACES, V.tolist(), "")


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("words", [SPACES, ["in a", "a", "b c", "d", "of the", "e"]])
def test_words_of_binary_files_may_hold_spaces(read, words, end):
    vectors = np.random.default_rng(3).normal(size=(6, 20)).astype(np.float32)
    found, rows, told = read(binary([word.encode() for word in words], vectors, end=end))
    assert (found, told) == (words, "")
    np.testing.assert_array_equal(np.float32(rows), vectors)
    assert read(binary([word.encode() for word in words], vectors, end=end), lenient=True) == (
        words,
        rows,
        "",
    )


def test_binary_files_without_such_words_are_read_as_they_are(read):
    vectors = np.float32([[3e38, -1e-45], [0, 1e30]])
    assert read(binary([b"a\x01", b"b"], vectors)) == (["a\x01", "b"], vectors.tolist(), "")


def test_a_word_may_end_in_a_number_where_that_is_said(read):
    content = text([b"a", b"area 51", b"b"], V[:3])
    assert_refused(
        read, content, "line 3: must hold 2 numbers, found 3", "lenient=True takes b'area 51'"
    )
    words, vectors, told = read(content, lenient=True)
    assert (words, vectors) == (["a", "area 51", "b"], V[:3].tolist())
    assert told == "words that end in a number: 1"


@pytest.mark.parametrize("lenient", [False, True])
def test_joined_lines_and_another_width_are_no_words(read, lenient):
    joined = b"2 2\na 1 2\nb 3 4 c 5 6\n"
    assert_refused(
        read, joined, "line 3: must hold 2 numbers, found 4", "two joined", lenient=lenient
    )
    assert_refused(read, b"2 2\na 1 2 3\nb 4 5 6\n", "line 2: must hold 2 numbers", lenient=lenient)


CUT = "пп".encode()[:-1]  # in the middle of a letter


@pytest.mark.parametrize("form", EVERY)
def test_words_that_are_not_utf_8(read, form):
    content = form([b"a", CUT, b"c"], V[:3])
    assert_refused(
        read, content, "of word b'\\xd0\\xbf\\xd0' is not UTF-8", "errors='replace'", "'skip'"
    )
    words, vectors, told = read(content, errors="replace")
    assert (words, vectors) == (["a", "п\ufffd", "c"], V[:3].tolist())
    assert told == "words with U+FFFD for what is not UTF-8: 1"
    words, vectors, told = read(content, errors="skip")
    assert (words, vectors) == (["a", "c"], V[[0, 2]].tolist())
    assert told == "words left out that are not UTF-8: 1"


@pytest.mark.parametrize("form", EVERY)
@pytest.mark.parametrize(
    ("encoding", "word"), [("latin-1", "señal"), ("gb18030", "日本語"), ("shift-jis", "表示")]
)
def test_other_encodings(read, form, encoding, word):
    content = form([b"a", word.encode(encoding)], V[:2])
    assert_refused(read, content, "encoding='latin-1'")
    assert read(content, encoding=encoding) == (["a", word], V[:2].tolist(), "")


@pytest.mark.parametrize("encoding", ["utf-99", "hex", "rot13"])
def test_what_is_no_encoding(read, encoding):
    assert_refused(
        read, text([b"a"], V[:1]), "encoding must be one that Python knows", encoding=encoding
    )


def test_places_are_those_of_the_file_where_rows_are_left_out(read):
    content = glove([b"a", b"a", b"b"], V[:3]) + b"\n" + b"c 1e99 3\n"
    assert_refused(read, content, "line 5: number 1 of word 'c' is inf", lenient=True)


def test_all_of_it_is_told_in_one_line(read):
    content = text([b"a", b"a", b"", CUT, b"b", b"c"], V, claimed=9)
    words, vectors, told = read(content, lenient=True, errors="skip")
    assert (words, vectors) == (["a", "b", "c"], V[[0, 4, 5]].tolist())
    assert told == (
        "words left out that are not UTF-8: 1; repeated words left out: 1; empty words left out: "
        "1; rows, where line 1 claims 9: 6"
    )
