"""Each wrong input and the message that it gets."""

import io as bytes_io
import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import glove_text

ONE = np.array([1.5], "<f4").tobytes()
TWO = np.array([[1, 2], [3, 4]], np.float32)

TEXT = {
    "empty file": (b"", "v.vec: the file is empty"),
    "no lines": (b"x" * 999, "or a word and its numbers, found b'xxxx"),
    "zero width": (b"2 0\na\nb\n", "line 1 claims 2 words of width 0, both must be at least 1"),
    "negative width": (b"2 -3\na 1\n", "claims 2 words of width -3, both must be at least 1"),
    "no words": (b"0 3\n", "claims 0 words of width 3"),
    "huge header": (
        b"1000000000000 300\na 1 2\n",
        "claims 1000000000000 words of width 300, which take at least 602000000000017 bytes, but "
        "the file has 24. Was its writing or download interrupted",
    ),
    "short row": (b"2 2\na 11 22\nb 3\n", "line 3: must hold 2 numbers, found 1. Is the line"),
    "long row": (b"2 2\na 1 2\nb 3 4 5\n", "line 3: must hold 2 numbers, found 3. Is the line cut"),
    "blank line": (b"2 2\na 1 2\n\nb 3 4\n", "line 4: one row more than the 2 that line 1 claims"),
    "blank row": (b"3 2\na 111 2222\n\nb 3 4\n", "line 3: is blank. lenient=True leaves it out"),
    "no number": (b"1 2\na 1 x\n", "line 2: number 2 must be a decimal number, found b'x'"),
    "decimal comma": (b"1 2\na 1 2,5\n", "line 2: number 2 must be a decimal number, found b'2,5'"),
    "underscore": (b"1 2\na 1 2_5\n", "number 2 must be a decimal number, found b'2_5'"),
    "two in one": (b"1 2\na 1-2\n", "line 2: must hold 2 numbers, found 1"),
    "two in one, one more": (b"1 2\na 1-2 3\n", "number 1 must be a decimal number, found b'1-2'"),
    "nan": (b"2 2\na 1 2\nb 3 nan\n", "line 3: number 2 of word 'b' is nan, must be finite"),
    "infinity": (b"2 2\na -inf 2\nb 3 4\n", "line 2: number 1 of word 'a' is -inf, must be finite"),
    "beyond float32": (
        b"1 2\na 1 1e39\n",
        "line 2: number 2 of word 'a' is inf, must be finite in",
    ),
    "duplicate": (b"3 1\na 1\nb 2\na 3\n", "line 4: word 'a' was already in line 2; a word may"),
    "empty word": (b"2 2\na 3 4\n 1 2\n", "line 3: word '' is empty"),
    "fewer rows": (
        b"3 1\na 1.234567\nb 2.345678\n",
        "ends after line 3 with 2 rows, but line 1 cl",
    ),
    "more rows": (b"1 1\na 1\nb 2\n", "line 3: one row more than the 1 that line 1 claims"),
    "UTF-8": (b"2 1\na 1\nb\xffc 2\n", r"line 3: byte 2 of word b'b\xffc' is not UTF-8"),
    "binary": (b"1 1\na " + bytes(9), "bytes are left after the 1 words that line 1 claims, from"),
    "NUL": (b"2 1\na 1.25\nb \0 \n", "line 3: number 1 must be a decimal number, found b'\\x00"),
}
BINARY = {
    "empty file": (b"", "v.bin: the file is empty"),
    "zero width": (b"1 0\na ", "line 1 claims 1 words of width 0"),
    "huge header": (b"1000000000000 300\na " + ONE, "but the file has 24"),
    "truncated": (b"2 1\naaaaaaa " + ONE + b"b " + ONE[:3], "row 1, at byte 16: must be a word, a"),
    "no word's end": (b"1 1\n" + b"a" * 20, "row 0, at byte 4: must be a word, a space and 4"),
    "more rows": (b"1 1\na " + ONE + b"b " + ONE, "bytes are left after the 1 words that line 1"),
    "nan": (b"1 1\na \0\0\xc0\x7f", "row 0: number 1 of word 'a' is nan, must be finite"),
    "duplicate": (b"2 1\na " + ONE + b"a " + ONE, "row 1: word 'a' was already in row 0"),
    "UTF-8": (b"1 1\na\xff " + ONE, r"row 0, at byte 4: byte 2 of word b'a\xff' is not UTF-8"),
}
GLOVE = {
    "empty file": (b"", "g.txt: the file is empty"),
    "words only": (b"a\nb\n", "two integers, or a word and its numbers, found b'a\\n'. Is it"),
    "short row": (b"a 1 2\nb 3\n", "line 2: must hold 2 numbers, found 1"),
    "long row": (b"a 1 2\nb 3 4 5\n", "line 2: must hold 2 numbers, found 3"),
    "duplicate": (b"a 1.5\na 2\n", "line 2: word 'a' was already in line 1"),
    "UTF-8": (b"\xe4 1.5\n", "line 1: byte 1 of word b'\\xe4' is not UTF-8"),
}


def assert_fails(path, content, message, **options):
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        io.read(path, **options)
    assert message in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("case", TEXT)
def test_word2vec_text(case, tmp_path):
    assert_fails(tmp_path / "v.vec", *TEXT[case])


@pytest.mark.parametrize("case", BINARY)
def test_word2vec_binary(case, tmp_path):
    assert_fails(tmp_path / "v.bin", *BINARY[case], format="word2vec-binary")


@pytest.mark.parametrize("case", GLOVE)
def test_glove(case, tmp_path):
    assert_fails(tmp_path / "g.txt", *GLOVE[case])


def test_a_file_that_is_read_as_another_format_is_told(tmp_path):
    assert_fails(tmp_path / "v.vec", b"1 1\na \0\0 \0", "Is it a binary file", format="word2vec")
    assert_fails(
        tmp_path / "v.vec", b"a 1 2\n", "Is it GloVe text, which has no", format="word2vec"
    )
    assert_fails(
        tmp_path / "g.txt", b"a\nb\n", "must be a word and its numbers, found 1", format="glove"
    )


def words_tensor(words):
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


SAFETENSORS = {
    "empty file": (b"", "the file is empty"),
    "another format": (b"what", "cannot be read as safetensors"),
    "no words": (save({"vectors": TWO}), "has no tensor 'words', only ['vectors']"),
    "other names": (save({"weight": TWO}), "has no tensor 'vectors', only ['weight']"),
    "float16": (
        save({"vectors": TWO.astype(np.float16), "words": words_tensor(["a", "b"])}),
        "tensor 'vectors' must have type F32 and 2 axes, found F16 and 2",
    ),
    "no JSON": (
        save({"vectors": TWO, "words": np.frombuffer(b"a b", np.uint8)}),
        "cannot be read as safetensors with a JSON list of words",
    ),
    "JSON without a list": (
        save({"vectors": TWO, "words": words_tensor("ab")}),
        "tensor 'words' must hold a JSON list of strings, found a str",
    ),
    "number for a word": (
        save({"vectors": TWO, "words": words_tensor(["a", 7])}),
        "row 1: word 7 is a int; words are non-empty Unicode strings",
    ),
    "surrogate": (
        save({"vectors": TWO, "words": words_tensor(["a", "\ud800"])}),
        "row 1: word '\\ud800' has a lone surrogate",
    ),
    "too few words": (
        save({"vectors": TWO, "words": words_tensor(["a"])}),
        "found 1 for words and [2, 2] for vectors",
    ),
    "nan": (
        save({"vectors": TWO * np.float32("nan"), "words": words_tensor(["a", "b"])}),
        "row 0: number 1 of word 'a' is nan",
    ),
}


@pytest.mark.parametrize("case", SAFETENSORS)
def test_safetensors(case, tmp_path):
    assert_fails(tmp_path / "v.safetensors", *SAFETENSORS[case])


def npz(**arrays):
    file = bytes_io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npz_with_header(shape):
    """An archive whose vectors' header claims `shape` before no data."""
    member = bytes_io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, header)
    file = bytes_io.BytesIO(npz(words=np.array(["a"])))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("vectors.npy", member.getvalue())
    return file.getvalue()


NPZ = {
    "empty file": (b"", "the file is empty"),
    "another format": (b"what", "cannot be read: File is not a zip file"),
    "no vectors": (npz(words=np.array(["a"])), "has no array 'vectors', only ['words.npy']"),
    "object array": (
        npz(words=np.array(["a", None], object), vectors=TWO),
        "array 'words' holds Python objects, which only pickle reads",
    ),
    "bytes for words": (
        npz(words=np.array([b"a", b"b"]), vectors=TWO),
        "array 'words' must be a list of strings, found 1 axes of |S1",
    ),
    "float64": (
        npz(words=np.array(["a", "b"]), vectors=TWO.astype(np.float64)),
        "vectors must be a NumPy array [V, D] of float32, found ndarray float64[2, 2]. Convert",
    ),
    "one axis": (npz(words=np.array(["a", "b"]), vectors=TWO[0]), "found ndarray float32[2]"),
    "more words": (npz(words=np.array(list("abc")), vectors=TWO), "found 3 for words and [2, 2]"),
    "no rows": (npz(words=np.array([], str), vectors=TWO[:0]), "found 0 for words and [0, 2] for"),
    "huge header": (npz_with_header((10**12, 300)), "'vectors' claims 1200000000000128 bytes, but"),
}


@pytest.mark.parametrize("case", NPZ)
def test_npz(case, tmp_path):
    assert_fails(tmp_path / "v.npz", *NPZ[case])


def npy(array):
    file = bytes_io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_with_header(shape):
    file = bytes_io.BytesIO()
    descr = [("word", "<U1"), ("vector", "<f4", (300,))]
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


NPY = {
    "empty file": (b"", "the file is empty"),
    "pickle": (b"\x80\x04N.", "is pickled"),
    "objects": (npy(np.array(["a", None], object)), "cannot be read: Array can't be memory-mapped"),
    "no words": (npy(TWO), "must be a list of records 'word' (string) and 'vector', found 2 axes"),
    "huge header": (npy_with_header((10**12,)), "cannot be read: mmap length is greater than file"),
}


@pytest.mark.parametrize("case", NPY)
def test_npy(case, tmp_path):
    assert_fails(tmp_path / "v.npy", *NPY[case])


FOLDERS = {
    "no files": ({"other": b""}, "or vectors.tsv and metadata.tsv, as TensorBoard reads them, f"),
    "one file": ({"vectors.tsv": b"1\n"}, "as TensorBoard reads them, found ['vectors.tsv']"),
    "empty files": ({"vectors.tsv": b"", "metadata.tsv": b""}, "found 0 in vectors.tsv and 0 in"),
    "header": (
        {"vectors.tsv": b"1\t2\n", "metadata.tsv": b"word\na\n"},
        "found 1 in vectors.tsv and 2 in metadata.tsv. Do they come from the same model, or has",
    ),
    "columns": (
        {"vectors.tsv": b"1\n2\n", "metadata.tsv": b"word\tcount\na\t3\n"},
        "metadata.tsv: line 1: must be one word, found 2 columns",
    ),
    "short row": (
        {"vectors.tsv": b"1\t2\n3\n", "metadata.tsv": b"a\nb\n"},
        "vectors.tsv: line 2: must hold 2 numbers, found 1",
    ),
    "blank row": (
        {"vectors.tsv": b"\n2\n", "metadata.tsv": b"a\nb\n"},
        "vectors.tsv: line 1: must hold numbers, found none",
    ),
    "UTF-8": (
        {"vectors.tsv": b"1\n", "metadata.tsv": b"\xff\n"},
        "metadata.tsv: line 1: byte 1 of word b'\\xff' is not UTF-8",
    ),
    "duplicate": (
        {"vectors.tsv": b"1\n2\n", "metadata.tsv": b"a\na\n"},
        "line 2: word 'a' was already in line 1",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_tensorboard(case, tmp_path):
    files, message = FOLDERS[case]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        io.read(tmp_path)
    assert message in str(error.value)


EVERY = ["v.txt", "v.vec", "v.bin", "v.safetensors", "v.npz", "v.npy", "v"]
UNWRITABLE = {
    "a string for words": ("ab", TWO, "found one string for words"),
    "more words": (["a", "b", "c"], TWO, "found 3 for words and [2, 2] for vectors"),
    "no words": ([], TWO[:0], "found 0 for words and [0, 2] for vectors"),
    "no columns": (["a", "b"], TWO[:, :0], "found 2 for words and [2, 0] for vectors"),
    "float64": (["a", "b"], TWO.astype(float), "float32, found ndarray float64[2, 2]. Convert it"),
    "list": (["a", "b"], TWO.tolist(), "float32, found list [2, 2]. Convert it first, with np.as"),
    "nan": (["a", "b"], TWO / np.float32([1, "nan"]), "row 0: number 2 of word 'a' is nan"),
    "infinity": (
        ["a", "b"],
        TWO * np.float32([[1], ["inf"]]),
        "row 1: number 1 of word 'b' is inf",
    ),
    "duplicate": (["a", "a"], TWO, "row 1: word 'a' was already in row 0; a word may stand once"),
    "empty word": (["a", ""], TWO, "row 1: word '' is empty; words are non-empty"),
    "bytes": (["a", b"b"], TWO, "row 1: word b'b' is a bytes; words are"),
    "surrogate": (["a", "\udcff"], TWO, "row 1: word '\\udcff' has a lone surrogate"),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", UNWRITABLE)
def test_nothing_writes_a_table_that_it_would_not_read(case, name, tmp_path):
    words, vectors, message = UNWRITABLE[case]
    with pytest.raises(InputError) as error:
        io.write(tmp_path / name, words, vectors)
    assert message in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("word", ["new york", "a\n", "\tb", "c\r", "\x0b"])
def test_words_that_a_format_cannot_carry(word, tmp_path):
    words = ["ok", word]
    for name in ["v.txt", "v.vec", "v.bin"]:
        with pytest.raises(InputError, match=r"row 1: word .* holds white space, which ends a wor"):
            io.write(tmp_path / name, words, TWO)
    with pytest.raises(InputError, match=r"row 1: word .* holds white space, which ends a word in"):
        glove_text.write(tmp_path / "g.txt", words, TWO)
    assert not list(tmp_path.iterdir())
    for name in ["v.safetensors", "v.npz", "v.npy"]:
        io.write(tmp_path / name, words, TWO)
        assert io.read(tmp_path / name).words == words


def test_tensorboard_carries_spaces_but_no_tab_or_line_end(tmp_path):
    io.write(tmp_path / "v", ["new york", " \v"], TWO)
    assert io.read(tmp_path / "v").words == ["new york", " \v"]
    for word in ["a\n", "\tb", "c\r"]:
        with pytest.raises(InputError, match=r"row 1: word .* holds a tab or a line end"):
            io.write(tmp_path / "v", ["ok", word], TWO)


def test_a_last_nul_is_refused_where_numpy_drops_it(tmp_path):
    for name in ["v.npz", "v.npy"]:
        with pytest.raises(InputError, match="row 1: word 'b.x00' ends in a NUL, which NumPy's"):
            io.write(tmp_path / name, ["a", "b\0"], TWO)
