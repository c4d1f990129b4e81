import gzip

import numpy as np
import pytest

from jaxemb.data import captions
from jaxemb.data.sets import multi30k
from jaxemb.errors import InputError


@pytest.fixture
def files(tmp_path):
    """Two captions of each of three pictures, the second file without a last line end."""
    first, second = tmp_path / "a.gz", tmp_path / "b.txt"
    first.write_bytes(gzip.compress(b"A red car.\nTwo dogs run\nSnow\n"))
    second.write_bytes("Ein roter Wagen\r\nHunde, zwei!\r\nWei\u00dfer Schnee".encode())
    return [first, second]


def test_captions_of_a_picture_stand_together(files):
    assert captions.read_captions(files) == [
        ["A red car.", "Ein roter Wagen"],
        ["Two dogs run", "Hunde, zwei!"],
        ["Snow", "Wei\u00dfer Schnee"],
    ]


def test_a_line_without_a_word_may_be_let_through(files):
    files[0].write_text("A red car.\n@@\n\n")
    with pytest.raises(InputError, match="line 2: a caption needs a word, found '@@'"):
        captions.read_captions(files)
    found = captions.read_captions(files, wordless=True)
    assert [row[0] for row in found] == ["A red car.", "@@", ""]


def test_lines_longer_than_a_piece(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("word " * 300_000 + "end\nnext\n")
    first, second = captions.read_captions([path])
    assert first[0].split()[-1] == "end"
    assert len(first[0].split()) == 300_001
    assert second == ["next"]


def test_words_are_counted_and_encoded():
    texts = ["a dog and a cat", "A dog!", "cat"]
    vocabulary = captions.count_words(texts)
    assert vocabulary.words == ["a", "cat", "dog", "and"]
    assert vocabulary.counts.tolist() == [3, 2, 2, 1]
    known = type(vocabulary)(vocabulary.words[:3], vocabulary.counts[:3])
    found = captions.encode_captions([*texts, "no such"], known, most=3)
    expected = [[0, 2, 0], [0, 2, -1], [1, -1, -1], [-1, -1, -1]]
    np.testing.assert_array_equal(found.ids, expected)
    assert found.ids.dtype == np.int32
    assert (found.unknown, found.cut) == (3, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\ntwo\n", "b.txt: 2 lines, but .*a.gz has 3; line i of each must describe picture i"),
        (b"one\n \nthree\n", "b.txt: line 2: a caption needs a word, found ' '"),
        (b"one\n...\nthree\n", "b.txt: line 2: a caption needs a word, found '...'"),
        (b"one\ntwo\nna\xefve\n", "b.txt: byte 0xef is not UTF-8 .*line 3"),
        (b"", "b.txt: the file holds no captions"),
    ],
)
def test_bad_files_are_named(files, content, message):
    files[1].write_bytes(content)
    with pytest.raises(InputError, match=message):
        captions.read_captions(files)


def test_missing_and_damaged_files_are_named(files, tmp_path):
    with pytest.raises(InputError, match=r"train\.1\.de\.gz: no such file.*data_dir"):
        captions.read_captions(multi30k.files(tmp_path, "train", "de"))
    files[0].write_bytes(files[0].read_bytes()[:-12])
    with pytest.raises(InputError, match=r"a\.gz: cannot be read or is damaged"):
        captions.read_captions(files)


@pytest.mark.data
def test_multi30k(data_dir):
    for language in ("en", "de"):
        rows = captions.read_captions(multi30k.files(data_dir, "val", language))
        assert len(rows) == 1014
        assert {len(row) for row in rows} == {5}


def test_clauses_taken_for_words_are_told(caplog):
    captions.count_words(["一只狗在跑步", "一只猫在睡觉吗"])
    assert "words such as 一只狗在跑步 are whole clauses" in caplog.text
    caplog.clear()
    captions.count_words(["一只 狗 在 跑步", "a dog", "naïve"])
    assert not caplog.text
