import dataclasses
import logging

import numpy as np
import pytest

from jaxemb.errors import InputError, UnknownWordError
from jaxemb.io import WordVectors
from jaxemb.methods import alignment

RNG = np.random.default_rng(11)
COUNT, DIM = 400, 12


def two_languages(noise=0.0, width=DIM):
    """Clustered words, and the same ones turned, in another order; and which is whose."""
    centers = RNG.normal(size=(30, DIM)) * np.linspace(2, 0.4, DIM)
    english = centers[RNG.integers(30, size=COUNT)] + RNG.normal(size=(COUNT, DIM)) * np.linspace(
        1.5, 0.3, DIM
    )
    turn = np.linalg.qr(RNG.normal(size=(max(width, DIM), DIM)))[0].T[:, :width]
    order = RNG.permutation(COUNT)
    french = (english @ turn + noise * RNG.normal(size=(COUNT, width)))[order]
    return (
        WordVectors([f"word{i}" for i in range(COUNT)], english.astype(np.float32)),
        WordVectors([f"mot{i}" for i in order], french.astype(np.float32)),
    )


def right(fitted, words, *, back=False):
    """Share of words whose translation is theirs."""
    found = alignment.translate(fitted, words, back=back)
    names = ("mot", "word") if back else ("word", "mot")
    pairs = zip(words, found, strict=True)
    if back:
        return np.mean([best[0][0] == word.replace("mot", "word") for word, best in pairs])
    return np.mean([best[0][0] == word.replace(*names) for word, best in pairs])


PAIRS = [(f"word{i}", f"mot{i}") for i in range(120)]
REST = [f"word{i}" for i in range(120, COUNT)]


@pytest.mark.parametrize("how", ["procrustes", "ridge", "canonical"])
@pytest.mark.parametrize("retrieval", ["nearest", "csls", "inverted_softmax"])
def test_a_turned_space_is_found_again_for_every_word(how, retrieval):
    english, french = two_languages()
    options = alignment.Options(map=how, retrieval=retrieval, temperature=0.01, ridges=(1e-4, 0.1))
    fitted = alignment.fit(english, french, PAIRS, options)
    assert right(fitted, REST) == 1
    assert right(fitted, french.words, back=True) == 1
    assert fitted.found_again == 1
    np.testing.assert_allclose(np.linalg.norm(fitted.source.vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("begin", ["similarities", "gromov_wasserstein"])
def test_without_a_dictionary(begin):
    english, french = two_languages()
    options = alignment.Options(map="procrustes", begin=begin, retrieval="nearest")
    fitted = alignment.fit(english, french, None, options, key=0)
    assert right(fitted, english.words) == 1


def test_words_that_are_spelled_alike_begin():
    english, french = two_languages(noise=0.5)
    names = [f"19{i}" if i in range(40, 52) else word for i, word in enumerate(english.words)]
    same = {f"mot{i}": f"19{i}" for i in range(40, 52)}
    english = WordVectors(names, english.vectors)
    french = WordVectors([same.get(word, word) for word in french.words], french.vectors)
    options = alignment.Options(map="procrustes")
    learned = alignment.fit(english, french, options=options)
    plain = alignment.fit(english, french, options=dataclasses.replace(options, refinements=0))
    assert len(plain.pairs) == 12
    assert np.isnan(learned.found_again)
    assert right(learned, REST) > right(plain, REST) + 0.1


def test_a_few_pairs_are_refined():
    english, french = two_languages(noise=0.7)
    plain, learned = (
        alignment.fit(english, french, PAIRS[:10], alignment.Options(refinements=rounds))
        for rounds in (None, 5)
    )
    assert len(plain.pairs) == 10
    assert {tuple(pair) for pair in plain.pairs} <= {tuple(pair) for pair in learned.pairs}
    assert right(learned, REST) > right(plain, REST) + 0.1


def test_spaces_of_different_width():
    english, french = two_languages(width=15)
    for how in ("procrustes", "ridge", "canonical"):
        fitted = alignment.fit(english, french, PAIRS, alignment.Options(map=how))
        assert fitted.source.vectors.shape[1] == fitted.target.vectors.shape[1]
        assert right(fitted, REST) > 0.95


def test_the_setting_is_chosen_by_held_out_pairs():
    english, french = two_languages(noise=0.8)
    fitted = alignment.fit(english, french, PAIRS)
    assert fitted.ridge in fitted.options.ridges
    assert fitted.power in fitted.options.powers
    for strength in fitted.options.ridges:
        for power in fitted.options.powers:
            options = alignment.Options(ridge=strength, power=power)
            one = alignment.fit(english, french, PAIRS, options)
            assert one.found_again <= fitted.found_again + 1e-9
    few = alignment.fit(english, french, PAIRS[:30])
    assert np.isnan(few.found_again)


def test_what_is_held_out_is_not_learned_from():
    """Vectors of nothing in common are found again by chance alone."""
    english = WordVectors(
        [f"word{i}" for i in range(COUNT)], RNG.normal(size=(COUNT, 50)).astype("f4")
    )
    french = WordVectors(
        [f"mot{i}" for i in range(COUNT)], RNG.normal(size=(COUNT, 50)).astype("f4")
    )
    pairs = [(f"word{i}", f"mot{i}") for i in range(COUNT)]
    assert alignment.fit(english, french, pairs).found_again < 0.05


def test_new_vectors_come_where_their_words_are():
    english, french = two_languages(noise=0.2)
    for how in ("procrustes", "ridge", "canonical"):
        fitted = alignment.fit(english, french, PAIRS, alignment.Options(map=how))
        for side, given, mapped in (
            ("source", english, fitted.source),
            ("target", french, fitted.target),
        ):
            found = alignment.transform(fitted, given.vectors[:9], side=side)
            np.testing.assert_allclose(found, mapped.vectors[:9], atol=1e-5)


def test_pairs_without_vectors_are_counted(caplog):
    english, french = two_languages()
    with caplog.at_level(logging.INFO, "jaxemb"):
        found = alignment.rows_of(
            english, french, [*PAIRS, PAIRS[0], ("nix", "mot1"), ("word1", "rien")]
        )
    assert len(found) == len(PAIRS)
    assert "2 of 123 pairs are left out: no vector for nix, rien" in caplog.text


def test_words_are_sought_in_lower_case_too(caplog):
    english, french = two_languages()
    with caplog.at_level(logging.INFO, "jaxemb"):
        found = alignment.rows_of(english, french, [("Word3", "mot5"), ("word4", "Mot6")])
    assert found.tolist() == [[3, french.row("mot5")], [4, french.row("mot6")]]
    assert "2 of 2 pairs have vectors in lower case only" in caplog.text


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("nix", "rien")], r"none of 1 pairs has vectors for both words, e.g. not \['nix'\]"),
        ([], "none of 0 pairs has vectors"),
        (["ab"], r"pairs must be \(source word, target word\), found 'ab'"),
        ([("a", "b", "c")], "pairs must be"),
    ],
)
def test_what_are_no_pairs(pairs, message):
    with pytest.raises(InputError, match=message):
        alignment.fit(*two_languages(), pairs)


def test_what_cannot_be_mapped():
    english, french = two_languages()
    with pytest.raises(InputError, match="source must be jaxemb.io.WordVectors, found ndarray"):
        alignment.fit(english.vectors, french, PAIRS)
    with pytest.raises(InputError, match="no word is spelled alike"):
        alignment.fit(english, french, key=0)
    broken = WordVectors(french.words, np.where(french.vectors > 3, np.nan, french.vectors))
    with pytest.raises(InputError, match="vectors of the target must be finite"):
        alignment.fit(english, broken, PAIRS)
    with pytest.raises(InputError, match="key is needed to seek turns"):
        alignment.fit(english, french, options=alignment.Options(begin="similarities"))
    fitted = alignment.fit(english, french, PAIRS)
    with pytest.raises(UnknownWordError, match="'nix' is not among the 400 words"):
        alignment.translate(fitted, ["nix"])
    with pytest.raises(InputError, match="k must be from 1 to 400"):
        alignment.translate(fitted, ["word1"], k=401)
    with pytest.raises(InputError, match="words must be a list of words"):
        alignment.translate(fitted, "word1")
    with pytest.raises(InputError, match="side must be 'source' or 'target', found 'left'"):
        alignment.transform(fitted, english.vectors, side="left")
    with pytest.raises(InputError, match="vectors must have 12 numbers"):
        alignment.transform(fitted, english.vectors[:, :5])
    assert alignment.translate(fitted, []) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ridge", 0.0),
        ("ridge", -1.0),
        ("ridges", ()),
        ("powers", (-1.0,)),
        ("power", -0.5),
        ("folds", 1),
        ("neighbors", 0),
        ("temperature", 0.0),
        ("rounds", -1),
        ("refinements", -1),
        ("frequent", 1),
        ("coupled", 1),
        ("epsilon", 0.0),
        ("first_keep", 0.0),
        ("patience", 0),
    ],
)
def test_what_are_no_options(field, value):
    with pytest.raises(InputError, match=f"^{field} must be"):
        alignment.Options(**{field: value})


def test_least_squares_take_no_penalty():
    assert alignment.Options(map="ridge", ridge=0.0).ridge == 0
    with pytest.raises(InputError, match="ridge must be more than 0 for the map canonical"):
        alignment.Options(ridges=(0.0, 1.0))
