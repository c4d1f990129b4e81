import dataclasses
import gc
import logging

import jax
import numpy as np
import pytest
from scipy.sparse import csr_array

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.methods import lsa


@pytest.fixture(scope="module")
def lines():
    """Sentences of one topic each."""
    rng = np.random.default_rng(0)
    topics = rng.integers(6, size=300)
    return [[f"t{topic}w{i}" for i in rng.zipf(1.4, 9) % 8] for topic in topics]


@pytest.fixture(scope="module")
def text(lines):
    return data.from_tokens(lines, min_count=1)


SMALL = lsa.Options(dim=4, window=3, space=8, block=4)


@pytest.fixture(scope="module")
def fitted(text):
    return lsa.fit(jax.random.key(7), text, SMALL)


def reference(lines, words, window):
    """PPMI of harmonic windows by plain loops in float64."""
    ids = {word: i for i, word in enumerate(words)}
    counts = np.zeros((len(ids), len(ids)))
    for line in lines:
        row = [ids[word] for word in line]
        for i, word in enumerate(row):
            for j in range(max(0, i - window), min(len(row), i + window + 1)):
                if i != j:
                    counts[word, row[j]] += 1 / abs(i - j)
    context = counts.sum(axis=0) ** 0.75
    chance = np.outer(counts.sum(axis=1), context / context.sum())
    with np.errstate(divide="ignore"):
        return counts, np.maximum(np.log(counts / chance), 0)


def test_vectors_agree_with_loops(text, lines):
    options = lsa.Options(dim=10, window=2, eigenvalue_power=1.0)
    found = lsa.fit(0, text, options)
    counts, matrix = reference(lines, text.vocabulary.words, 2)
    left, values, right = np.linalg.svd(matrix)
    assert found.pairs == np.count_nonzero(counts)
    assert found.positive_pairs == np.count_nonzero(matrix)
    np.testing.assert_allclose(found.singular_values, values[:10], rtol=1e-5)
    # Inner products don't depend on signs.
    for rows, whole in ((found.vectors.vectors, left), (found.params["contexts"], right.T)):
        scaled = whole[:, :10] * values[:10]
        np.testing.assert_allclose(rows @ rows.T, scaled @ scaled.T, atol=1e-3)
    assert found.history.seconds > 0
    assert found.history.stopped_because == "done"


def test_counts_may_be_shared(text, fitted):
    counts = lsa.count(text, SMALL)
    found = lsa.fit(7, text, SMALL, counts=counts)
    np.testing.assert_array_equal(found.vectors.vectors, fitted.vectors.vectors)
    with pytest.raises(InputError, match="counts must have a row for each of 48 words, found 3"):
        lsa.fit(7, text, counts=csr_array(np.ones((3, 3))))


def test_nothing_is_left_of_the_counting(text, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lsa.fit(7, text, SMALL)
    gc.collect()
    assert not list(tmp_path.iterdir())


# Another memory counts in other pieces, to the same sums.
SPEED_ALONE = {"memory_limit": 900}
CHANGES = {
    "dim": 5,
    "counts": "documents",
    "window": 2,
    "weighting": "flat",
    "side": "left",
    "shift": 2.0,
    "smoothing": 1.0,
    "eigenvalue_power": 0.5,
    "space": 12,
    "block": 8,
}


def test_every_field_is_tried():
    names = {field.name for field in dataclasses.fields(lsa.Options)}
    assert names == CHANGES.keys() | SPEED_ALONE.keys()


@pytest.mark.parametrize("name", [*CHANGES, *SPEED_ALONE])
def test_each_field_changes_the_result_or_speed_alone(text, fitted, name):
    options = dataclasses.replace(SMALL, **{name: (CHANGES | SPEED_ALONE)[name]})
    found, before = lsa.fit(7, text, options).vectors.vectors, fitted.vectors.vectors
    assert np.array_equal(found, before) == (name in SPEED_ALONE)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_documents_are_folded_in_where_they_were(text, lines, power, caplog):
    # A space of all words: its singular vectors are exact.
    options = lsa.Options(dim=6, counts="documents", space=48, eigenvalue_power=power)
    fitted = lsa.fit(0, text, options)
    expected = fitted.params["contexts"]
    assert expected.shape == (300, 6)
    found = lsa.transform(fitted, lines)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    with caplog.at_level(logging.INFO, "jaxemb"):
        some = lsa.transform(fitted, [["unknown"], [*lines[5], "new"], []])
    assert caplog.messages == ["2 of 11 words have no vector"]
    np.testing.assert_array_equal(some[[0, 2]], 0)
    np.testing.assert_allclose(some[1], expected[5], atol=1e-4 * np.abs(expected).max())


def test_what_cannot_be_folded_in(text, fitted):
    with pytest.raises(InputError, match='were fitted with counts="documents"'):
        lsa.transform(fitted, [["t0w0"]])
    documents = lsa.fit(0, text, dataclasses.replace(SMALL, counts="documents"))
    with pytest.raises(InputError, match="document 0 is a string, not a list of words: 't0w0'"):
        lsa.transform(documents, ["t0w0"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window": 101}, "window must be at least 1 and at most 100, found 101"),
        ({"shift": float("nan")}, "shift must be more than 0 and at most 1,000,000"),
        ({"space": 9}, "space must be at least 100, found 9"),
        ({"counts": "letters"}, "counts must be 'words', 'documents', found 'letters'"),
        ({"smoothing": -0.1}, "smoothing must be at least 0 and at most 1, found -0.1"),
    ],
)
def test_bad_options(fields, message):
    with pytest.raises(InputError, match=message):
        lsa.Options(**fields)


def test_texts_that_cannot_be_counted(text):
    for options, message in (
        (lsa.Options(dim=49), "dim must be at most 48, the number of words, found 49"),
        (lsa.Options(dim=4, window=41), "harmonic weights have no exact sums in a window of 41"),
        (lsa.Options(dim=4, memory_limit=1), "memory_limit of 1.0 MB is too small to count in"),
    ):
        with pytest.raises(InputError, match=message):
            lsa.check(text, options)
        with pytest.raises(InputError, match=message):
            lsa.fit(0, text, options)
    # Each word has the other as its only neighbor, which is twice as often as by chance.
    same = data.from_tokens([["one", "two"]] * 50)
    with pytest.raises(InputError, match="shift of 3 is too large: no pair occurs more than so"):
        lsa.fit(0, same, lsa.Options(dim=2, window=1, shift=3))
