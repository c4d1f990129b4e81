import numpy as np
import pytest
from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

from jaxemb.errors import InputError
from jaxemb.models import subword_table
from jaxemb.models.subword_table import SubwordTable, has_ngrams, word_rows, word_vectors

WORDS = ["banana", "</s>", "a", "straße", "日本語", "nananananana"]
BUCKETS, WIDTH = 11, 5
ROWS = np.random.default_rng(4).normal(size=(len(WORDS) + BUCKETS, WIDTH)).astype(np.float32)


def expected(word, shortest, longest):
    """The mean over the word and its n-grams, one after another."""
    rows = [ROWS[WORDS.index(word)]] if word in WORDS else []
    if word != "</s>":
        for piece in compute_ngrams_bytes(word, shortest, longest):
            rows.append(ROWS[len(WORDS) + ft_hash_bytes(piece) % BUCKETS])
    return sum(row.astype(np.float64) for row in rows) / len(rows)


@pytest.mark.parametrize(("shortest", "longest"), [(3, 6), (2, 2), (3, 3)])
def test_a_vector_is_the_mean_of_its_rows(monkeypatch, shortest, longest):
    monkeypatch.setattr(subword_table, "AT_A_TIME", 4)
    table = SubwordTable(WORDS, ROWS, shortest, longest)
    asked = ["unknown", *WORDS, "bananas", "b", "nana"]
    found = word_vectors(table, asked)
    assert found.dtype == np.float32
    for word, vector in zip(asked, found, strict=True):
        np.testing.assert_allclose(vector, expected(word, shortest, longest), rtol=1e-6, atol=1e-7)
    assert word_vectors(table, []).shape == (0, WIDTH)


def test_without_n_grams_a_vector_is_the_words_own():
    for table in (SubwordTable(WORDS, ROWS, 3, 0), SubwordTable(WORDS, ROWS[: len(WORDS)], 3, 6)):
        np.testing.assert_array_equal(word_vectors(table, WORDS), ROWS[: len(WORDS)])


@pytest.mark.parametrize(("word", "lengths"), [("ab", (5, 6)), ("unknown", (3, 0)), ("ab", (3, 2))])
def test_an_unknown_word_without_n_grams_has_no_vector(word, lengths):
    assert not has_ngrams(word, shortest=lengths[0], longest=lengths[1])
    with pytest.raises(InputError, match=f"word '{word}' is not among the 6 words and has no n-gr"):
        word_vectors(SubwordTable(WORDS, ROWS, *lengths), ["banana", word])


@pytest.mark.parametrize("shortest", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("longest", [0, 1, 2, 3, 4, 9])
def test_words_with_n_grams_are_told(shortest, longest):
    for word in [*WORDS, "ab", "abcdefg"]:
        lengths = {"shortest": shortest, "longest": longest}
        rows, _ = word_rows([word], {}, **lengths, buckets=BUCKETS)
        assert has_ngrams(word, **lengths) == (len(rows) > 0)
