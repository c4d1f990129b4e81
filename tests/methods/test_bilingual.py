import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_array

from jaxemb import bilingual, io
from jaxemb.errors import InputError
from jaxemb.factorize.ibm1 import ibm1
from jaxemb.io.word_vectors import UnknownWordError

COUNT = 12
OPTIONS = bilingual.Options(dim=16, linked=8, epochs=10, window=4)


def sentences(count: int = 400, seed: int = 0) -> list[tuple[str, str]]:
    """The second language has the words of the first in nearly their order, and its own of none."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        ids = rng.choice(COUNT, size=rng.integers(2, 7), replace=False, p=POPULAR)
        second = [f"mot{i}" for i in ids]
        if len(second) > 2:
            second[0], second[1] = second[1], second[0]
        second.insert(int(rng.integers(len(second) + 1)), "de")
        found.append((" ".join(f"Word{i}" for i in ids), " ".join(second)))
    return found


POPULAR = 1 / np.arange(3, COUNT + 3)
POPULAR /= POPULAR.sum()
PAIRS = sentences()


@pytest.fixture(scope="module")
def fitted() -> bilingual.Fitted:
    return bilingual.fit(0, PAIRS, OPTIONS)


def share(found: list[list[tuple[str, float]]], asked: list[str]) -> float:
    right = [word.replace("word", "mot") for word in asked]
    return float(np.mean([own[0][0] == one for own, one in zip(found, right, strict=True)]))


@pytest.mark.parametrize(("by", "least"), [("both", 0.9), ("vectors", 0.8), ("probabilities", 0.9)])
def test_translations_are_found(fitted, by, least):
    asked = fitted.first.words
    assert share(bilingual.translate(fitted, asked, by=by), asked) >= least


def test_translations_back_are_found(fitted):
    asked = [word for word in fitted.second.words if word != "de"]
    found = bilingual.translate(fitted, asked, back=True)
    assert (
        np.mean([own[0][0][4:] == word[3:] for own, word in zip(found, asked, strict=True)]) > 0.9
    )


def test_vectors_are_of_length_one_and_of_both_parts(fitted):
    for side in (fitted.first, fitted.second):
        assert side.vectors.shape == (len(side), 2 * 16 + 8)
        np.testing.assert_allclose(np.linalg.norm(side.vectors, axis=1), 1, rtol=1e-5)


def test_skip_gram_alone_brings_translations_near():
    # Neighbors must tell words apart: each has its own.
    rng = np.random.default_rng(3)
    pairs = []
    for begin in rng.integers(COUNT, size=400):
        ids = (begin + np.arange(3)) % COUNT
        pairs.append((" ".join(f"word{i}" for i in ids), " ".join(f"mot{i}" for i in ids)))
    options = dataclasses.replace(OPTIONS, linked=0, epochs=40)
    alone = bilingual.fit(0, pairs, options)
    assert alone.first.vectors.shape[1] == 2 * 16
    asked = alone.first.words
    assert share(bilingual.translate(alone, asked, by="vectors"), asked) > 0.8


def test_probabilities_are_those_of_ibm_model_1(fitted):
    sides = [
        [np.array([side.index[word] for word in pair[at].lower().split()]) for pair in PAIRS]
        for at, side in enumerate((fitted.first, fitted.second))
    ]
    sizes = len(fitted.first), len(fitted.second)
    right = ibm1(*sides, words=sizes, iterations=4).probabilities.toarray()
    table = csr_array(tuple(fitted.forward), shape=sizes).toarray()
    np.testing.assert_allclose(table, right, rtol=1e-6, atol=1e-12)
    for own, row in zip(
        bilingual.translate(fitted, fitted.first.words, k=3, by="probabilities"), right, strict=True
    ):
        assert [value for _, value in own] == pytest.approx(sorted(row[row > 0])[::-1][:3])


def test_nearness_is_the_mean_of_the_ten_nearest(fitted):
    first, second = fitted.first.vectors.astype(float), fitted.second.vectors.astype(float)
    cosines = first @ second.T
    for found, table in zip(fitted.nearness, (cosines, cosines.T), strict=True):
        np.testing.assert_allclose(found, np.sort(table, axis=1)[:, -10:].mean(axis=1), atol=1e-5)


def test_both_add_cosine_hubs_and_logarithm(fitted):
    asked = fitted.first.words[:4]
    found = bilingual.translate(fitted, asked, k=len(fitted.second))
    first, second = fitted.first.vectors.astype(float), fitted.second.vectors.astype(float)
    near = np.sort(second @ first.T, axis=1)[:, -10:].mean(axis=1)
    table = csr_array(tuple(fitted.forward), shape=(len(first), len(second))).toarray()
    right = first[:4] @ second.T - near / 2 + 0.4 * np.log1p(table[:4] / 1e-3)
    for own, row in zip(found, right, strict=True):
        for word, value in own:
            assert value == pytest.approx(row[fitted.second.index[word]], abs=1e-5)
        assert [value for _, value in own] == sorted((value for _, value in own), reverse=True)


def test_a_language_alone_adds_words_and_learns_from_them():
    beside = (["only here", "only here and word1"], ["seulement ici", "seulement ici"])
    found = bilingual.fit(0, PAIRS, OPTIONS, beside=beside)
    assert "only" in found.first
    assert "seulement" in found.second
    assert np.isfinite(found.first["only"]).all()
    assert not bilingual.translate(found, ["only"], by="probabilities")[0]
    assert bilingual.translate(found, ["only"])[0]


def test_pairs_of_rare_words_alone_link_nothing():
    beside = (["one word two word"] * 40, ["ein wort zwei wort"] * 40)
    found = bilingual.fit(0, [("rare", "selten")], OPTIONS, beside=beside)
    assert np.isfinite(found.first.vectors).all()
    assert not len(found.forward.values)
    assert len(bilingual.translate(found, ["word"])[0]) == 1


def test_words_spelled_alike_are_two():
    pairs = [("die cat", "die katze"), ("cat die", "katze die"), ("a die", "der würfel")] * 40
    found = bilingual.fit(0, pairs, OPTIONS)
    assert "die" in found.first
    assert "die" in found.second
    assert not np.array_equal(found.first["die"], found.second["die"])


def test_a_fit_is_saved_and_translates_alike(fitted, tmp_path):
    io.save(tmp_path / "model", fitted)
    again = io.load(tmp_path / "model")
    asked = ["word1", "word2"]
    assert bilingual.translate(again, asked, k=3) == bilingual.translate(fitted, asked, k=3)


@pytest.mark.parametrize(
    ("pairs", "beside", "message"),
    [
        ([], ((), ()), "pairs must be at least one"),
        ([("a", "b"), ("a", " ")], ((), ()), "number 1 has an empty sentence"),
        (["ab"], ((), ()), "pairs must be .sentence, sentence."),
        ([("a b", "c d")], ((), ()), "first sentences: .*min_count"),
        (PAIRS, ("a text", ()), "found one string"),
        (PAIRS, (["a"],), "beside must be two"),
    ],
)
def test_what_cannot_be_learned_from_is_named(pairs, beside, message):
    with pytest.raises(InputError, match=message):
        bilingual.fit(0, pairs, OPTIONS, beside=beside)


def test_what_cannot_be_translated_is_named(fitted):
    with pytest.raises(UnknownWordError, match="nix"):
        bilingual.translate(fitted, ["nix"])
    with pytest.raises(InputError, match="found one string"):
        bilingual.translate(fitted, "word1")
    with pytest.raises(InputError, match="k must be from 1 to 13"):
        bilingual.translate(fitted, ["word1"], k=14)
    with pytest.raises(InputError, match="by must be 'both', 'vectors' or 'probabilities'"):
        bilingual.translate(fitted, ["word1"], by="counts")
    assert bilingual.translate(fitted, []) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("dim", 1), ("epochs", 0), ("linked", -1), ("floor", 0.0), ("iterations", 0)],
)
def test_options_out_of_range_are_named(field, value):
    with pytest.raises(InputError, match=field):
        bilingual.Options(**{field: value})
