import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jaxemb.data import vocabulary
from jaxemb.data.vocabulary import Vocabulary, check_ids, truncate
from jaxemb.errors import InputError

SMALL = Vocabulary(["the", "cat", "dog", "naïve"], np.array([9, 4, 4, 1]))


def test_encode():
    ids = SMALL.encode(["dog", "the", "dog"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [2, 0, 2]
    assert SMALL.encode([]).shape == (0,)


def test_unknown_words_are_named():
    with pytest.raises(
        InputError,
        match=r"6 words are not .* vocabulary's 4: 'a', 'b', 'c', 'd', "
        r"'e', \.\.\.\. Is the spelling",
    ):
        SMALL.encode(["the", *"abacdef"])


def test_save_and_load(tmp_path):
    SMALL.save(tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_text() == "the 9\ncat 4\ndog 4\nnaïve 1\n"
    again = vocabulary.load(tmp_path / "v.txt")
    assert again.words == SMALL.words
    assert again.counts.dtype == np.int64
    np.testing.assert_array_equal(again.counts, SMALL.counts)


def test_word2vec_forms_are_read(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"</s>\t7\r\nthe  5\r\nof 5")
    assert vocabulary.load(tmp_path / "v.txt").words == ["</s>", "the", "of"]


@pytest.mark.parametrize("bad", ["", "new york", "a\nb", "x\u00a0y"])
def test_words_that_break_the_file_are_not_written(tmp_path, bad):
    with pytest.raises(InputError, match="is empty or contains white space"):
        Vocabulary(["a", bad], np.array([2, 1])).save(tmp_path / "v.txt")
    assert not (tmp_path / "v.txt").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a 2\nb\n", "line 2: expected a word and its count .at least 0., found 'b'"),
        (b"a 2\n\nb 1\n", "line 2: expected .* found ''"),
        (b"a 2\nb -1\n", "line 2: expected .* found 'b -1'"),
        (b"a 2.5\n", "line 1: expected .* found 'a 2.5'"),
        (b"a b 2\n", "line 1: expected .* found 'a b 2'"),
        (b"a 99999999999999999999\n", "line 1: expected"),
        (b"a\n2 3 4\n", "line 1: expected .* found 'a'"),
        (b"a 3\nb 2\na 1\n", "line 1: the word 'a' comes again later"),
        (b"a 3\nb 4\n", "line 2: the count 4 is larger than 3 before it"),
        (b"a 3\n\xff 2\n", r"byte 0xff is not UTF-8 \(byte 4, line 2\)"),
    ],
)
def test_bad_files_are_refused(tmp_path, data, message):
    (tmp_path / "v.txt").write_bytes(data)
    with pytest.raises(InputError, match=f"v.txt: {message}"):
        vocabulary.load(tmp_path / "v.txt")


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="v.txt: No such file"):
        vocabulary.load(tmp_path / "v.txt")


FIELDS = st.lists(st.sampled_from(["a", "b", "7", "3", "3", " ", "\t", "\n", "-", "é", "\r"]))


@given(st.binary(max_size=40) | FIELDS.map(lambda parts: "".join(parts).encode()))
@example(b"")
@settings(
    max_examples=1500,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_a_vocabulary_or_an_input_error(tmp_path, data):
    path = tmp_path / "v.txt"
    path.write_bytes(data)
    found, message = SMALL, str(path)
    try:
        found = vocabulary.load(path)
    except InputError as error:
        message = str(error)
    assert str(path) in message
    found.save(path)
    assert vocabulary.load(path).words == found.words


@pytest.mark.parametrize(
    ("min_count", "max_size", "words"),
    [(1, None, 4), (2, None, 3), (4, 2, 2), (5, 2, 1), (1, 10, 4)],
)
def test_truncate(min_count, max_size, words):
    cut = truncate(SMALL, min_count=min_count, max_size=max_size)
    assert cut.words == SMALL.words[:words]
    np.testing.assert_array_equal(cut.counts, SMALL.counts[:words])


def test_nothing_left():
    with pytest.raises(InputError, match="min_count = 10: the largest is 9"):
        truncate(SMALL, min_count=10)
    with pytest.raises(InputError, match="there are no words"):
        truncate(Vocabulary([], np.zeros(0, np.int64)), min_count=1)
    with pytest.raises(InputError, match="max_size must be at least 1, found 0"):
        truncate(SMALL, min_count=1, max_size=0)


def test_check_ids():
    check_ids(np.array([[0, 3], [2, 1]]), 4, "x")
    check_ids(np.zeros(0, np.int32), 0, "x")
    with pytest.raises(InputError) as caught:
        check_ids(np.array([5, 0, 71290]), 71290, "text8.ids.npy")
    assert str(caught.value) == (
        "text8.ids.npy: word id 71290 at position 2 is outside [0, 71290); 1 such ids. Was it "
        "encoded with another vocabulary?"
    )
    with pytest.raises(InputError, match=r"word id -1 at position 1 is outside \[0, 4\); 2 such"):
        check_ids(np.array([[0, -1], [4, 3]]), 4, "x")
