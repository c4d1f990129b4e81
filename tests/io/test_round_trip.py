"""What is written is read back bit for bit, through every format and through gensim."""

import os
import tracemalloc

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import glove_text

NAMES = ["v.txt", "v.vec", "v.bin", "v.safetensors", "v.npz", "v.npy", "v"]

# What every format carries: white space of ASCII ends a word in some, a last NUL is lost by NumPy.
word = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\v\f\r "), min_size=1).filter(
    lambda w: not w.endswith("\0")
)
any_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)  # with subnormals and -0


@st.composite
def tables(draw):
    words = draw(st.lists(word, min_size=1, max_size=5, unique=True))
    shape = (len(words), draw(st.integers(1, 4)))
    return words, draw(hnp.arrays(np.float32, shape, elements=any_float32))


def bits(vectors):
    return vectors.view(np.uint32).tolist()


EXTREMES = np.array([[-0.0, 1e-45, 3.4028235e38], [0.1, 1.1754942e-38, 16777217]], np.float32)


@pytest.mark.parametrize("name", NAMES)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    # Each example replaces the file of the one before, which is a part of what is tested.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(table=tables())
@example(table=(["\u00a0", "\u2028\x85"], EXTREMES))
def test_every_format_gives_back_the_same_bits(name, table, tmp_path):
    words, vectors = table
    io.write(tmp_path / name, words, vectors)
    found = io.read(tmp_path / name)
    assert found.words == words
    assert found.vectors.dtype == np.float32
    assert bits(found.vectors) == bits(vectors)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(table=tables())
def test_glove_gives_back_the_same_bits(table, tmp_path):
    glove_text.write(tmp_path / "g.txt", *table)
    found = io.read(tmp_path / "g.txt", format="glove")
    assert found.words == table[0]
    assert bits(found.vectors) == bits(table[1])


def some_vectors(rows, width):
    return np.random.default_rng(3).standard_normal((rows, width)).astype(np.float32)


WORDS = ["</s>", "straße", "日本", "a_b", "\u00a0"]


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
def test_gensim_reads_what_we_write(name, tmp_path):
    vectors = some_vectors(5, 7)
    io.write(tmp_path / name, WORDS, vectors)
    found = KeyedVectors.load_word2vec_format(tmp_path / name, binary=name.endswith("bin"))
    assert found.index_to_key == WORDS
    assert bits(found.vectors) == bits(vectors)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # gensim's, with no_header
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_gensim_reads_our_glove(tmp_path):
    vectors = some_vectors(5, 7)
    glove_text.write(tmp_path / "g.txt", WORDS, vectors)
    found = KeyedVectors.load_word2vec_format(tmp_path / "g.txt", no_header=True)
    assert found.index_to_key == WORDS
    assert bits(found.vectors) == bits(vectors)


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
def test_we_read_what_gensim_writes(name, tmp_path):
    keyed = KeyedVectors(7)
    keyed.add_vectors(WORDS, some_vectors(5, 7))
    keyed.save_word2vec_format(tmp_path / name, binary=name.endswith("bin"))
    found = io.read(tmp_path / name)
    assert found.words == WORDS
    assert bits(found.vectors) == bits(keyed.vectors)


def test_reads_the_binary_file_of_the_c_program(tmp_path):
    # word2vec.c ends each row with a line feed.
    vectors = some_vectors(2, 3)
    rows = [
        word + b" " + row.tobytes() + b"\n" for word, row in zip([b"a", b"b"], vectors, strict=True)
    ]
    (tmp_path / "v.bin").write_bytes(b"2 3\n" + b"".join(rows))
    found = io.read(tmp_path / "v.bin")
    assert found.words == ["a", "b"]
    assert bits(found.vectors) == bits(vectors)


def test_reads_text_with_a_space_or_carriage_return_before_the_line_end(tmp_path):
    (tmp_path / "v.vec").write_bytes(b"2 2\r\na 1 2 \r\nb 3 -4 \n")
    found = io.read(tmp_path / "v.vec")
    assert found.words == ["a", "b"]
    assert found.vectors.tolist() == [[1, 2], [3, -4]]


def test_a_headless_text_file_is_glove_and_its_words_may_hold_spaces(tmp_path):
    (tmp_path / "g.txt").write_text("the 1 2\n. . . 3 4\nat name@domain.com 5 6\n")
    found = io.read(tmp_path / "g.txt")
    assert found.words == ["the", ". . .", "at name@domain.com"]
    assert found.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_blocks_join_where_a_file_is_longer_than_one(tmp_path, monkeypatch):
    monkeypatch.setattr("jaxemb.io.text_rows.BLOCK", 50)
    monkeypatch.setattr("jaxemb.io.text_rows.ROWS", 2)
    monkeypatch.setattr("jaxemb.io.numpy_file.ROWS", 2)
    words, vectors = [f"w{i}" for i in range(29)], some_vectors(29, 3)
    for name in NAMES:
        io.write(tmp_path / name, words, vectors)
        found = io.read(tmp_path / name)
        assert found.words == words, name
        assert bits(found.vectors) == bits(vectors), name


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_writing_leaves_the_old_file_and_nothing_else(name, tmp_path, monkeypatch):
    path = tmp_path / name
    io.write(path, ["old"], some_vectors(1, 2))
    before = sorted(p for p in tmp_path.rglob("*"))

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        io.write(path, ["new"], some_vectors(1, 2))
    monkeypatch.undo()
    assert io.read(path).words == ["old"]
    assert sorted(p for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", NAMES)
def test_files_get_the_permissions_of_the_umask(name, tmp_path):
    io.write(tmp_path / name, ["a"], some_vectors(1, 2))
    (tmp_path / "plain").touch()
    for path in tmp_path.rglob("v*.*"):
        assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_or_folder_is_an_os_error(name, tmp_path):
    with pytest.raises(FileNotFoundError):
        io.read(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        io.write(tmp_path / "no" / "where" / name, ["a"], some_vectors(1, 2))


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.safetensors", "v.npz", "v.npy", "v"])
def test_reading_never_holds_the_vectors_twice(name, tmp_path):
    rows, width = 20_000, 100
    words = [f"word{i}" for i in range(rows)]
    io.write(tmp_path / name, words, np.tile(some_vectors(200, width), (100, 1)))
    tracemalloc.start()
    found = io.read(tmp_path / name)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.words[-1] == words[-1]
    array = found.vectors.nbytes  # 8 MB
    assert array < held < array + rows * (8 + 49 + 16) + 1e6
    # While reading: a hash a word, .npz's words as an array of 4 bytes a letter, and a block of
    # 1 MB of text with its lines and their parts.
    assert peak < held + rows * (8 + 4 * len(words[-1])) + 6e6


def test_the_endings_that_are_written_are_named(tmp_path):
    with pytest.raises(InputError, match=r"v\.vec\.gz: the name must end in one of \.txt"):
        io.write(tmp_path / "v.vec.gz", ["a"], some_vectors(1, 2))
