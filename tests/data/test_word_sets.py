import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb.data.word_sets import (
    find_word_sets,
    read_analogies,
    read_categories,
    read_similarity,
)
from jaxemb.errors import InputError

SIMILARITY = ",word1,word2,similarity\n0,Sun-n,bright-j,7.5\r\n1,re-do,\u00e9t\u00e9,-1\n2,,,\n"
ANALOGIES = ": gram2-opposite\nSure unsure able Unable\n\n: family\nboy girl he she\n"
CATEGORIES = ",category,word\n0,bird,Owl\n1,fish,carp\n2,fish,\n"


def test_each_form_is_read(tmp_path):
    (tmp_path / "wordsim").mkdir()
    (tmp_path / "wordsim" / "sim_x.csv").write_text("\ufeff" + SIMILARITY)
    (tmp_path / "wordsim" / "cat_y.csv").write_text(CATEGORIES)
    assert find_word_sets(tmp_path).analogies == []
    (tmp_path / "questions-words.txt").write_text(ANALOGIES)
    (similarity,), analogies, (categories,) = find_word_sets(tmp_path)
    assert similarity.name == "x"
    assert similarity.pairs == [("sun", "bright"), ("re-do", "été")]
    np.testing.assert_array_equal(similarity.scores, [7.5, -1])
    assert [section.name for section in analogies] == ["gram2-opposite", "family"]
    assert analogies[0].questions == [("sure", "unsure", "able", "unable")]
    assert categories == ("y", ["owl", "carp"], ["bird", "fish"])


def test_nothing_there(tmp_path):
    assert find_word_sets(tmp_path) == ([], [], [])
    with pytest.raises(InputError, match="no.csv: No such file"):
        read_similarity(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_similarity, "", "line 1: expected the header ',word1,word2,similarity'"),
        (read_similarity, CATEGORIES, "line 1: expected the header ',word1,word2,similarity'"),
        (read_similarity, SIMILARITY.split("0")[0], "no rows"),
        (read_similarity, SIMILARITY + "3,a,b\n", "line 5: expected 4 columns, found 3"),
        (read_similarity, SIMILARITY + "3,a,b,high\n", "line 5: .* found 'a', 'b', 'high'"),
        (read_similarity, SIMILARITY + "3,a,b,nan\n", "line 5: .* a finite score"),
        (read_similarity, SIMILARITY + "3,a,,5\n", "line 5: expected two words"),
        (read_similarity, SIMILARITY + '3,"' + "a" * 200_000, "line 5: "),
        (read_categories, CATEGORIES + "3,,a\n", "line 5: the word 'a' has no category"),
        (read_categories, ",category,word\n0,fish,\n", "no words"),
        (read_analogies, "a b c d\n", "line 1: expected ': section' or, below one, four words"),
        (read_analogies, ANALOGIES + "a b c\n", "line 6: .* found 'a b c'"),
        (read_analogies, ": empty\n", "no questions"),
        (read_analogies, ANALOGIES + "a\0", "a NUL byte"),
    ],
)
def test_bad_rows_are_named(tmp_path, read, content, message):
    (tmp_path / "set.csv").write_text(content)
    with pytest.raises(InputError, match=f"set.csv: {message}"):
        read(tmp_path / "set.csv")


PARTS = st.lists(st.sampled_from(["a", ",", '"', "\n", "\r", " ", "1", "-n", "nan", ":", "é"]))


@pytest.mark.parametrize(
    ("read", "start"),
    [
        (read_similarity, ",word1,word2,similarity\n"),
        (read_categories, ",category,word\n"),
        (read_analogies, ": a\n"),
    ],
)
@given(data=st.binary(max_size=40) | PARTS.map(lambda parts: "".join(parts).encode()))
@settings(
    max_examples=700,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_a_set_or_an_input_error(tmp_path, read, start, data):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(start.encode() + data)
    message = str(path)
    try:
        read(path)
    except InputError as error:
        message = str(error)
    assert str(path) in message


@pytest.mark.data
def test_real_sets(data_dir):
    similarity, analogies, categories = find_word_sets(data_dir)
    assert {s.name: len(s.pairs) for s in similarity} == {
        "men": 3000,
        "rw": 2034,
        "simverb-3500": 3500,
        "wordsim353-rel": 252,
        "wordsim353-sim": 203,
    }
    assert len(analogies) == 14
    assert sum(len(section.questions) for section in analogies) == 19544
    assert {s.name: (len(s.words), len(set(s.categories))) for s in categories} == {
        "ap": (402, 21),
        "bless": (200, 17),
        "essli-2008": (45, 9),
    }
    assert not any(w.endswith(("-n", "-v", "-j")) for s in similarity for p in s.pairs for w in p)
