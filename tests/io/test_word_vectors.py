"""Word vectors answer as Gensim's do."""

import gensim
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb import io
from jaxemb.errors import InputError, UnknownWordError
from jaxemb.io import WordVectors, word_vectors
from jaxemb.models import subword_table
from jaxemb.models.subword_table import SubwordTable

WORDS = ["king", "queen", "man", "woman", "frog", "toad", "friend", "Paris", "empty"]
SUBWORDS = SubwordTable(WORDS, np.random.default_rng(4).normal(size=(40, 6)).astype("f4"), 2, 3)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(2)
    royal, male, female, animal = rng.normal(size=(4, 6))
    rows = [royal + male, royal + female, male, female, animal, animal, *rng.normal(size=(2, 6))]
    table = np.array([*rows, np.zeros(6)]) + 0.05 * rng.normal(size=(9, 6))
    table[-1] = 0
    return WordVectors(WORDS, (table * rng.gamma(5, size=(9, 1))).astype(np.float32))


@pytest.fixture(scope="module")
def peer(vectors):
    peer = gensim.models.KeyedVectors(vector_size=6)
    peer.add_vectors(WORDS[:-1], vectors.vectors[:-1])  # Gensim divides by the norm of "empty"
    return peer


@pytest.fixture(scope="module")
def composing():
    return WordVectors(WORDS, subword_table.word_vectors(SUBWORDS, WORDS), SUBWORDS)


def assert_same(ours, theirs):
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], rtol=1e-5, atol=1e-6)


def test_it_is_shown_in_a_line():
    vectors = WordVectors([f"w{i}" for i in range(4000)], np.zeros((4000, 3), np.float32))
    expected = "<WordVectors of 4,000 words, 3 wide: 'w0', 'w1', 'w2', 'w3', 'w4', ...>"
    assert repr(vectors) == expected
    assert repr(vectors.subset(["w7"])) == "<WordVectors of 1 words, 3 wide: 'w7'>"


def test_a_word_s_vector(vectors):
    np.testing.assert_array_equal(vectors["man"], vectors.vectors[2])
    np.testing.assert_array_equal(vectors[["toad", "king"]], vectors.vectors[[5, 0]])
    assert vectors[[]].shape == (0, 6)


def test_it_is_a_collection_of_words(vectors):
    assert len(vectors) == 9
    assert list(vectors) == WORDS
    assert "frog" in vectors
    assert "Frog" not in vectors
    assert 4 not in vectors


def test_nearest(vectors, peer):
    assert_same(vectors.nearest("frog", 4), peer.most_similar("frog", topn=4))
    direction = vectors["king"] + vectors["frog"]
    assert_same(vectors.nearest(direction, 5), peer.similar_by_vector(direction, topn=5))
    assert_same(vectors.nearest(jnp.asarray(direction), 1), vectors.nearest(direction, 1))


def test_similarity(vectors, peer):
    assert vectors.similarity("king", "toad") == pytest.approx(peer.similarity("king", "toad"))


def test_analogy(vectors, peer):
    found = vectors.analogy("man", "king", "woman", 3)
    assert found[0][0] == "queen"
    assert_same(found, peer.most_similar(positive=["king", "woman"], negative=["man"], topn=3))


def test_a_word_given_twice_bars_one_answer(vectors):
    assert len(vectors.analogy("man", "man", "woman", 7)) == 7


def test_odd_one_out(vectors, peer):
    asked = ["king", "man", "frog", "queen"]
    assert vectors.odd_one_out(asked) == "frog" == peer.doesnt_match(asked)
    ranked = [(word, c) for c, word in peer.rank_by_centrality(asked)[::-1]]
    assert_same(vectors.centrality(asked), ranked)


def test_subset_and_unit(vectors):
    few = vectors.subset(("toad", "king"))
    assert few.words == ["toad", "king"]
    np.testing.assert_array_equal(few.vectors, vectors.vectors[[5, 0]])
    unit = vectors.unit()
    np.testing.assert_allclose(np.linalg.norm(unit.vectors, axis=1), [1] * 8 + [0], rtol=1e-6)
    assert unit.similarity("king", "toad") == pytest.approx(vectors.similarity("king", "toad"))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("freind", "'freind' is not among the 9 words; did you mean friend?"),
        ("paris", "'paris' is not among the 9 words; did you mean Paris?"),
        ("zzz", "'zzz' is not among the 9 words; no word is spelled like it"),
    ],
)
def test_an_unknown_word(vectors, word, message):
    with pytest.raises(KeyError) as raised:
        vectors[word]
    assert str(raised.value) == message
    for ask in (
        lambda: vectors[["king", word]],
        lambda: vectors.nearest(word),
        lambda: vectors.similarity("king", word),
        lambda: vectors.analogy("king", "man", word),
        lambda: vectors.odd_one_out(["king", "man", word]),
        lambda: vectors.subset([word]),
    ):
        with pytest.raises(UnknownWordError, match="is not among the 9 words"):
            ask()


@pytest.mark.parametrize("there", ["café", "cafe\u0301"])
@pytest.mark.parametrize("asked", ["café", "cafe\u0301"])
def test_a_word_is_found_in_whatever_normal_form(there, asked):
    vectors = WordVectors(["tea", there, "\uac00"], np.float32([[1, 0], [0.6, 0.8], [0, 1]]))
    assert asked in vectors
    assert vectors.row(asked) == 1
    np.testing.assert_array_equal(vectors[asked], vectors.vectors[1])
    assert [word for word, _ in vectors.nearest(asked, 2)] == ["\uac00", "tea"]
    assert vectors.similarity("\u1100\u1161", asked) == pytest.approx(0.8)


def test_the_form_that_is_asked_comes_first():
    vectors = WordVectors(["cafe\u0301", "café"], np.eye(2, dtype=np.float32))
    assert [vectors.row(word) for word in ("café", "cafe\u0301", "caffé")] == [1, 0, None]


def test_what_is_no_word(vectors):
    with pytest.raises(UnknownWordError, match="^3 is not among the 9 words, which are strings"):
        vectors[[3]]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda v: v.nearest("empty"), "the vector of 'empty' is zero"),
        (lambda v: v.nearest("frog", 9), "k must be 1 to 8, the number of other words, found 9"),
        (lambda v: v.nearest("frog", 0), "k must be 1 to 8"),
        (lambda v: v.nearest(np.ones(5)), r"width 6, found an array of shape \[5\]"),
        (lambda v: v.nearest(np.zeros(6)), "query is a vector of zeros"),
        (lambda v: v.odd_one_out(["frog", "toad"]), "three or more words are needed"),
        (lambda v: v.odd_one_out(["frog", "toad", "frog"]), "three or more words are needed"),
        (lambda v: v.odd_one_out("frog"), "three or more words are needed"),
    ],
)
def test_questions_without_an_answer(vectors, ask, message):
    with pytest.raises(InputError, match=message):
        ask(vectors)


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        ("ab", np.ones((2, 3), "f4"), "found str and float32"),
        (["a"], np.ones((1, 3)), r"found list and float64 \[1, 3\]"),
        (["a"], np.ones(3, "f4"), r"found list and float32 \[3\]"),
        (["a", "b"], np.ones((1, 3), "f4"), "found 2 words and 1 rows"),
    ],
)
def test_words_and_vectors_that_do_not_fit(words, vectors, message):
    with pytest.raises(InputError, match=message):
        WordVectors(words, vectors)


def test_suggestions_prefer_frequent_words():
    rare = [f"word{i}" for i in range(60_000)]
    assert word_vectors._spellings("freind", ["friend", *rare, "freinds"]) == ["friend"]
    assert word_vectors._spellings("freind", [*rare, "freinds"]) == ["freinds"]
    assert word_vectors._spellings("UK", ["uk", "ok"]) == ["uk"]


def test_subwords_compose_unknown_words(composing):
    assert "kingly" in composing
    assert "kingly" not in composing.index
    expected = subword_table.word_vectors(SUBWORDS, ["kingly"])[0]
    np.testing.assert_array_equal(composing["kingly"], expected)
    mixed = composing[["frog", "kingly"]]
    np.testing.assert_array_equal(mixed, [composing.vectors[4], expected])
    nearest = composing.nearest("kingly", 9)
    assert {word for word, _ in nearest} == set(WORDS)
    assert composing.subset(["kingly"]).words == ["kingly"]
    assert "kings" not in composing.subset(["kingly"])
    assert "kings" not in composing.unit()


@pytest.mark.parametrize(
    "table", [SUBWORDS._replace(rows=SUBWORDS.rows[:9]), SUBWORDS._replace(shortest=4)]
)
def test_without_ngrams_nothing_is_composed(table):
    vectors = WordVectors(WORDS, SUBWORDS.rows[:9], table)
    assert "x" not in vectors
    with pytest.raises(UnknownWordError):
        vectors["x"]


def test_a_table_is_written_as_it_is(vectors, tmp_path):
    io.write(str(tmp_path / "v.npz"), vectors)
    found = io.read(str(tmp_path / "v.npz"))
    assert found.words == WORDS
    np.testing.assert_array_equal(found.vectors, vectors.vectors)
    with pytest.raises(InputError, match="given twice"):
        io.write(tmp_path / "v.npz", vectors, vectors.vectors)
