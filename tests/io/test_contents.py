"""The format of a file is told by its content, whatever its name, packed or not."""

import bz2
import gzip
import io as bytes_io
import lzma
import pickle
import zipfile

import numpy as np
import pytest

from jaxemb import io
from jaxemb.data import compressed
from jaxemb.errors import InputError
from jaxemb.io import contents, glove_text

WORDS = ["the", "straße", "日本", "x"]
VECTORS = np.random.default_rng(5).standard_normal((4, 3)).astype(np.float32)
FORMATS = ["word2vec", "word2vec-binary", "glove", "safetensors", "npz", "npy"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The bytes of a file of each format."""
    folder = tmp_path_factory.mktemp("files")
    names = {"word2vec": "v.txt", "word2vec-binary": "v.bin", "glove": "g.txt"}
    found = {}
    for kind in FORMATS:
        path = folder / names.get(kind, f"v.{kind}")
        (glove_text if kind == "glove" else io).write(path, WORDS, VECTORS)
        found[kind] = path.read_bytes()
    return found


def assert_same(found):
    assert found.words == WORDS
    np.testing.assert_array_equal(found.vectors, VECTORS)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["model.w2v", "sgns.zhihu.char", "V.TXT", "v.bin", "v.vec", "v"])
def test_the_name_says_nothing_of_the_format(files, kind, name, tmp_path):
    (tmp_path / name).write_bytes(files[kind])
    assert_same(io.read(tmp_path / name))


def zipped(data):
    file = bytes_io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/v.vec", data)
    return file.getvalue()


def zstd(data):
    return compressed._zstd("").compress(data)


PACKERS = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zip": zipped}
PACKERS[".zst"] = zstd


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("kind", ["word2vec", "word2vec-binary", "glove", "npy"])
def test_packed_files_are_read(files, kind, ending, tmp_path):
    path = tmp_path / f"v{ending}"
    path.write_bytes(PACKERS[ending](files[kind]))
    assert_same(io.read(path))
    path.rename(tmp_path / "v.txt")  # by their content, too
    assert_same(io.read(tmp_path / "v.txt"))


@pytest.mark.parametrize("ending", PACKERS)
def test_a_damaged_packed_file_is_named(files, ending, tmp_path):
    path = tmp_path / f"v{ending}"
    whole = PACKERS[ending](files["word2vec"] * 20)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"v\{ending}: cannot be read"):
        io.read(path)


def test_messages_name_the_packed_file(tmp_path):
    path = tmp_path / "v.vec.gz"
    path.write_bytes(gzip.compress(b"2 2\na 1 2\nb 3 x\n"))
    with pytest.raises(InputError, match=r"/v\.vec\.gz: line 3: number 2 must be a decimal"):
        io.read(path)


def test_an_archive_of_several_files_is_refused_with_their_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        for width in (50, 100):
            archive.writestr(f"glove.{width}d.txt", "a 1.5\n")
    with pytest.raises(InputError, match=r"holds 2 files, glove.50d.txt, glove.100d.txt; unpack"):
        io.read(tmp_path / "glove.zip")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("kind", ["word2vec", "glove"])
def test_marked_text_is_read(files, kind, encoding, tmp_path):
    path = tmp_path / "v.vec"
    path.write_bytes(files[kind].decode().encode(encoding))
    assert_same(io.read(path))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert_same(io.read(path))


def test_utf_16_without_its_mark_needs_its_name(files, tmp_path):
    path = tmp_path / "v.w2v"
    path.write_bytes(files["word2vec"].decode().encode("utf-16-le"))
    with pytest.raises(InputError, match="encoding='utf-16-le'"):
        io.read(path)
    assert_same(io.read(path, encoding="utf-16-le"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="v.w2v: is not utf-16-le: "):
        io.read(path, encoding="utf-16-le")


def test_the_byte_order_mark_is_no_part_of_a_word(tmp_path):
    mark = "\ufeff".encode()
    (tmp_path / "vectors.tsv").write_bytes(mark + b"1\t2\n3\t4\n\n")
    (tmp_path / "metadata.tsv").write_bytes(mark + b"a\nb\n\n")
    found = io.read(tmp_path)
    assert found.words == ["a", "b"]
    assert found.vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"1.5 2 3\n-4 5e-3 6\n", "holds numbers and no words. Is it a table of points"),
        (b"1 2\n3 4\n5 6\n", "holds numbers and no words"),
        (b"the 1061396\nof 593677\n", "holds a word and a count a line, a vocabulary"),
        (b"2017 105\nthe 90\nof 70\n", "holds a word and a count a line, a vocabulary"),
        (
            b"the cat sat\non the mat\n",
            "line 1 must be .* or a word and its numbers, found b'the cat sat",
        ),
        (b"the\nof\nand\n", "found b'the.n'. Is it a list of words"),
        (b"the,1.5,2\nof,3,4\n", "found b'the,1.5,2.n'. Is it a list of words"),
        (bytes(257) + b"ustar" + bytes(300), "is a tar archive; unpack it"),
        (pickle.dumps({"vectors": 1}), "is pickled, and reading that can run any code"),
    ],
)
def test_what_holds_no_vectors_is_told(tmp_path, content, message):
    (tmp_path / "model.kv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        io.read(tmp_path / "model.kv")


def test_who_says_the_format_is_believed(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_bytes(b"101 1.5 2\n102 3 4\n")
    assert io.read(path, format="glove").words == ["101", "102"]
    path.write_bytes(b"the 12\nof 7\n")
    assert io.read(path, format="glove").vectors.tolist() == [[12], [7]]
    with pytest.raises(InputError, match="line 1 must be 'WORDS WIDTH'"):
        io.read(path, format="word2vec")
    with pytest.raises(InputError, match="format must be .*'glove'.* found 'gensim'"):
        io.read(path, format="gensim")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 2 3\n4 5 6\n", "numbers"),
        ("4 3\n1 2 3\n4 5 6\n", "numbers"),
        ("3 2\n1 2\n4 5\n", "numbers"),
        ("# made by hand\n1 2.5\n3 4\n", "numbers"),
        ("x y\n1 2.5\n3 4\n", "numbers"),
        ("  1e-3  2\n -3  nan\n", "numbers"),
        ("2 2\n101 2 3\n102 5 6\n", "word2vec"),
        ("2 1\n101 2\n102 5\n", "word2vec"),
        ("2 2\nthe 2 3\nof 5 6\n", "word2vec"),
        ("2010 2 3\nof 5 6\n", "glove"),
        ("# 2 3\nof 5 6\n", "glove"),
        ("of 1.5\nin 2\n", "glove"),
        ("word count\nof 15\nin 2\n", "vocabulary"),
        ("one two\n", None),
    ],
)
def test_tables_of_numbers_are_told_from_words(tmp_path, text, kind):
    (tmp_path / "v").write_text(text)
    assert contents.recognize(tmp_path / "v") == kind


def test_narrow_and_wide_tables_are_told_apart(tmp_path):
    for width in (1, 2, 10_000):
        vectors = np.random.default_rng(width).standard_normal((3, width)).astype(np.float32)
        for name, kind in {"v.txt": "word2vec", "v.bin": "word2vec-binary"}.items():
            io.write(tmp_path / name, WORDS[:3], vectors)
            assert contents.recognize(tmp_path / name) == kind
            np.testing.assert_array_equal(io.read(tmp_path / name).vectors, vectors)


@pytest.mark.parametrize("kind", ["run", "saved", "method"])
def test_folders_of_runs_and_of_what_was_saved(kind, tmp_path):
    table = io.WordVectors(WORDS, VECTORS)
    if kind == "run":
        io.write(tmp_path / "vectors.txt", table)
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / "vocabulary.txt").write_text("the 7\n")
    else:
        io.save(tmp_path, table)
    assert_same(io.read(tmp_path))


def test_a_folder_without_words_is_told(tmp_path):
    io.save(tmp_path, (1, 2))
    with pytest.raises(InputError, match="holds a tuple, which has no word vectors"):
        io.read(tmp_path)
