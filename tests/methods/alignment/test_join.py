import numpy as np
import pytest

from jaxemb import alignment
from jaxemb.errors import InputError
from jaxemb.io import WordVectors

COUNT = 80
NAMES = ("word", "mot", "wort")


def languages(widths=(8, 8, 8), noise=0.0):
    """One space, turned at random."""
    rng = np.random.default_rng(6)
    space = rng.normal(size=(COUNT, min(widths)))
    found = []
    for name, width in zip(NAMES, widths, strict=True):
        turn = np.linalg.qr(rng.normal(size=(width, width)))[0][: min(widths)]
        vectors = space @ turn + noise * rng.normal(size=(COUNT, width))
        found.append(WordVectors([f"{name}{i}" for i in range(COUNT)], vectors.astype(np.float32)))
    return found


def dictionary(one, other, count=40):
    return [(f"{NAMES[one]}{i}", f"{NAMES[other]}{i}") for i in range(count)]


def shares(joined):
    """How often the nearest word is the translation, of each two languages."""
    tables = [words.vectors for words in joined.languages]
    return [
        np.mean((one @ other.T).argmax(axis=1) == np.arange(COUNT))
        for one in tables
        for other in tables
        if one is not other
    ]


@pytest.mark.parametrize("widths", [(8, 8, 8), (6, 9, 8)])
@pytest.mark.parametrize("linked", [[(0, 1), (0, 2)], [(2, 1), (1, 0)], [(0, 1), (1, 2), (2, 0)]])
def test_each_language_is_found_from_each_other_one(widths, linked):
    given = languages(widths)
    joined = alignment.join(given, {pair: dictionary(*pair) for pair in linked})
    assert all(words.vectors.shape == (COUNT, max(widths)) for words in joined.languages)
    np.testing.assert_allclose(np.linalg.norm(joined.languages[2].vectors, axis=1), 1, rtol=1e-5)
    assert min(shares(joined)) > 0.95
    assert joined.pairs[linked[0]].shape == (40, 2)


def test_a_third_dictionary_helps_noisy_languages():
    given = languages(noise=0.5)
    two = {(0, 1): dictionary(0, 1), (0, 2): dictionary(0, 2)}
    fewer, more = (
        alignment.join(given, pairs) for pairs in (two, two | {(1, 2): dictionary(1, 2)})
    )
    near = [
        float(np.mean(np.sum(one.languages[1].vectors * one.languages[2].vectors, axis=1)[:40]))
        for one in (fewer, more)
    ]
    assert near[1] > near[0]


@pytest.mark.parametrize(
    ("dictionaries", "message"),
    [
        ({(0, 1): dictionary(0, 1)}, "must link all languages, found none from 0 to 2"),
        ({}, "must link all languages"),
        ({(0, 3): dictionary(0, 1)}, "of the 3 languages, 0 to 2, found .0, 3."),
        ({(1, 1): dictionary(1, 1)}, "found .1, 1."),
        (
            {(0, 1): [("nix", "rien")]},
            "languages 0 and 1: none of 1 pairs has vectors",
        ),
    ],
)
def test_dictionaries_that_join_nothing(dictionaries, message):
    with pytest.raises(InputError, match=message):
        alignment.join(languages(), dictionaries)


def test_fewer_pairs_than_numbers_are_told(caplog):
    pairs = {(0, 1): dictionary(0, 1, count=7), (0, 2): dictionary(0, 2)}
    alignment.join(languages(), pairs)
    assert "languages 0 and 1 has 7 pairs with vectors, fewer than" in caplog.text
    assert "languages 0 and 2" not in caplog.text


def test_what_are_no_languages():
    alike = WordVectors(["a", "b"], np.ones((2, 8), np.float32))
    with pytest.raises(InputError, match="vectors of the language 1 must differ"):
        alignment.join([languages()[0], alike], {(0, 1): [("word0", "a")]})
    with pytest.raises(InputError, match="languages must be at least two"):
        alignment.join(languages()[:1], {})
    with pytest.raises(InputError, match="language 1 must be jaxemb.io.WordVectors, found list"):
        alignment.join([languages()[0], [[1.0]]], {(0, 1): []})
    with pytest.raises(InputError, match="rounds must be at least 1"):
        alignment.join(languages(), {(0, 1): dictionary(0, 1)}, rounds=0)
