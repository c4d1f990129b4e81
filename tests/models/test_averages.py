import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.models.averages import Averages, average, counts, encode

WORDS = ["the", "dog", "cat", "runs"]
TABLE = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
NONE = np.zeros((0, 5), np.float32)
TEXTS = ["The dog runs.", "unknown words", "the the cat", "dog"]


def test_words_are_counted():
    expected = [[1, 1, 0, 1], [0, 0, 0, 0], [2, 0, 1, 0], [0, 1, 0, 0]]
    np.testing.assert_array_equal(counts(TEXTS, WORDS).toarray(), expected)


@pytest.mark.parametrize("directions", [0, 2])
def test_vectors_against_the_formula(directions):
    common = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0][:directions]
    model = Averages(WORDS, TABLE, common.astype(np.float32))
    found = average(model, TEXTS)
    for row, ids in {0: [0, 1, 3], 2: [0, 0, 2], 3: [1]}.items():
        mean = TABLE[ids].astype(np.float64).mean(axis=0)
        for direction in common:
            mean -= direction * (direction @ mean)
        np.testing.assert_allclose(found[row], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.isnan(found[1]).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("size", [1e-25, 1e30])
def test_huge_and_tiny_vectors_have_length_1(size):
    model = Averages(WORDS, TABLE, NONE)
    scaled = model._replace(vectors=(TABLE * size).astype(np.float32))
    np.testing.assert_allclose(average(scaled, TEXTS), average(model, TEXTS), atol=1e-5)


def test_a_sentence_without_a_known_word_is_near_to_nothing():
    model = Averages(WORDS, TABLE, NONE)
    message = "1 of 4 sentences have no word that the model knows, the first is number 1, 'unknown"
    with pytest.raises(InputError, match=message):
        encode(model, TEXTS)
    found = encode(model, TEXTS, unknown="nan")
    np.testing.assert_array_equal(np.isnan(found[:, 0]), [False, True, False, False])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("the dog", "must be a list of sentences, found one string"),
        ([], "must be at least one sentence, found none"),
        (["dog", 3], "must be strings, found int at number 1"),
        (None, "must be a list of sentences, found NoneType"),
    ],
)
def test_what_are_no_sentences(texts, message):
    with pytest.raises(InputError, match=message):
        encode(Averages(WORDS, TABLE, NONE), texts)


def test_what_becomes_of_the_unknown_is_one_of_two():
    with pytest.raises(InputError, match="unknown must be 'refuse' or 'nan', found 'zero'"):
        encode(Averages(WORDS, TABLE, NONE), TEXTS, unknown="zero")
