import dataclasses
import functools

import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.methods import sentences

RNG = np.random.default_rng(0)
THINGS = RNG.integers(30, size=(400, 3))
# Two languages, word for word.
PAIRS = [(" ".join(f"a{i}" for i in row), " ".join(f"b{i}" for i in row[::-1])) for row in THINGS]
TRAIN, TEST = PAIRS[:360], PAIRS[360:]
OPTIONS = sentences.Options(
    dim=16, iterations=150, batch=32, learning_rate=0.05, min_count=1, call_steps=50
)


@functools.cache
def fitted():
    return sentences.fit(0, TRAIN, OPTIONS)


def found(model: sentences.Model) -> float:
    first, second = (
        sentences.encode(model, [pair[i] for pair in TEST], side=side)
        for i, side in enumerate(("first", "second"))
    )
    return float(np.mean(np.argmax(first @ second.T, axis=1) == np.arange(len(TEST))))


def test_translations_of_new_sentences_are_found():
    assert found(fitted().model) > 0.8
    assert fitted().history.steps == 150
    # Word by word, too.
    model = fitted().model
    words = [int(word[1:]) for word in model.first.words]
    partners = sentences.encode(model, [f"b{i}" for i in words], side="second")
    own = sentences.encode(model, model.first.words, side="first")
    assert np.mean(np.argmax(own @ partners.T, axis=1) == np.arange(len(words))) > 0.8


def test_words_may_be_shared():
    paraphrases = [(a, " ".join(a.split()[::-1][:2])) for a, _ in TRAIN]
    model = sentences.fit(0, paraphrases, dataclasses.replace(OPTIONS, shared=True)).model
    assert model.first is model.second
    new = [a for a, _ in TEST]
    whole, part = (
        sentences.encode(model, x) for x in (new, [" ".join(a.split()[:2]) for a in new])
    )
    assert np.mean(np.argmax(part @ whole.T, axis=1) == np.arange(len(new))) > 0.8


@pytest.mark.parametrize(
    ("pairs", "shared", "expected"),
    [
        ([("a", "x"), ("b", "y"), ("a", "y"), ("c", "z")], False, ["ab", "c"]),
        ([("a", "x"), ("b", "y"), ("c", "z")], False, ["a", "b", "c"]),
        ([("a", "b"), ("c", "b"), ("d", "e")], True, ["abc", "de"]),
    ],
)
def test_what_is_paired_with_the_same_belongs_together(pairs, shared, expected):
    options = dataclasses.replace(OPTIONS, shared=shared)
    sides, rows = sentences._sides(*sentences.as_pairs(pairs), options)
    for row, pair in zip(rows, pairs, strict=True):
        assert (sides[0].texts[row[0]], sides[-1].texts[row[1]]) == pair
    labels = sentences.together(rows, tuple(len(side.texts) for side in sides))
    texts = np.array(sides[0].texts)
    groups = ["".join(sorted(texts[labels == label])) for label in np.unique(labels)]
    assert sorted(groups) == expected


def test_the_best_vectors_are_kept():
    options = dataclasses.replace(OPTIONS, validate_every=50, patience=1)
    kept = sentences.fit(0, TRAIN, options, validation=TEST)
    assert found(kept.model) > 0.8


def test_given_vectors_begin():
    rng = np.random.default_rng(1)
    tables = [
        WordVectors([f"{name}{i}" for i in range(30)], rng.normal(size=(30, 16)).astype("f4"))
        for name in "ab"
    ]
    options = dataclasses.replace(OPTIONS, iterations=1, learning_rate=1e-6)
    model = sentences.fit(0, TRAIN, options, vectors=(tables[0], tables[1])).model
    for side, table in zip(model, tables, strict=True):
        cosines = np.sum(
            sentences.averages.encode(side, side.words)
            * (table[side.words] / np.linalg.norm(table[side.words], axis=1, keepdims=True)),
            axis=1,
        )
        assert cosines.min() > 0.999


@pytest.mark.parametrize("loss", ["info_nce", "sigmoid_pairs", "ranking", "triplet"])
def test_other_losses(loss):
    assert found(sentences.fit(0, TRAIN, dataclasses.replace(OPTIONS, loss=loss)).model) > 0.5


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "pairs must be at least one, found none"),
        (["a b"], r"pairs must be \(sentence, sentence\), found 'a b' at number 0"),
        ([("a", "b", "c")], r"pairs must be \(sentence, sentence\)"),
        ([("a", "b"), ("a", " ")], "pairs: number 1 has an empty sentence"),
        ([3], r"pairs must be \(sentence, sentence\), found 3 at number 0"),
        (None, "pairs must be a list of pairs, found NoneType"),
        (PAIRS[:9], "batch must be at most the 9 pairs, found 32"),
    ],
)
def test_what_are_no_pairs(pairs, message):
    with pytest.raises(InputError, match=message):
        sentences.fit(0, pairs, OPTIONS)


def test_pairs_may_be_a_table():
    table = np.array(PAIRS[:3], object)
    assert sentences.as_pairs(table) == sentences.as_pairs(PAIRS[:3])


def test_words_too_rare_are_told():
    pairs = [(a, f"once{i}") for i, (a, _) in enumerate(PAIRS)]
    options = dataclasses.replace(OPTIONS, min_count=3)
    with pytest.raises(InputError, match="second sentences: no word has a count of at least"):
        sentences.fit(0, pairs, options)


def test_vectors_of_one_side_only_are_refused():
    table = WordVectors(["a1"], np.ones((1, 16), np.float32))
    with pytest.raises(InputError, match="vectors must be two jaxemb.io.WordVectors, since words"):
        sentences.fit(0, TRAIN, OPTIONS, vectors=table)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dim": 0}, "dim must be at least 1"),
        ({"temperature": 0.0}, "temperature must be more than 0"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"loss": "best"}, "loss must be"),
    ],
)
def test_numbers_that_no_training_can_use(fields, message):
    with pytest.raises(InputError, match=message):
        sentences.Options(**fields)
