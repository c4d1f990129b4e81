import jax.numpy as jnp
import numpy as np
import pytest
from gensim.models import KeyedVectors

from jaxemb.data.word_sets import SimilaritySet
from jaxemb.evaluation.similarity import similarity

WORDS = ["tiger", "cat", "car", "train", "sun", "moon", "bread", "butter", "tree", "zero"]
INDEX = {word: row for row, word in enumerate(WORDS)}


def _vectors():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(len(WORDS), 4)) * rng.gamma(1, 3, (len(WORDS), 1))
    vectors[-1] = 0
    return vectors.astype(np.float32)


def _pairs(count):
    """Distinct pairs with scores of which some are equal."""
    rng = np.random.default_rng(4)
    all_pairs = [(a, b) for a in WORDS for b in WORDS if a < b]
    chosen = rng.permutation(len(all_pairs))[:count]
    return [all_pairs[i] for i in chosen], rng.integers(0, 7, count) / 2


def _ranks(values):
    """1 for the smallest; equal values share the mean of their ranks."""
    return [
        1 + sum(other < value for other in values) + (sum(o == value for o in values) - 1) / 2
        for value in values
    ]


def _spearman_by_loops(vectors, pairs, human):
    cosines = []
    for a, b in pairs:
        x, y = vectors[INDEX[a]].astype(np.float64), vectors[INDEX[b]].astype(np.float64)
        lengths = np.sqrt(sum(x * x)) * np.sqrt(sum(y * y))
        cosines.append(sum(x * y) / lengths if lengths > 0 else 0.0)
    r, s = np.array(_ranks(cosines)), np.array(_ranks(list(human)))
    r, s = r - r.mean(), s - s.mean()
    return sum(r * s) / np.sqrt(sum(r * r) * sum(s * s))


def test_is_the_correlation_of_ranks():
    vectors, (pairs, human) = _vectors(), _pairs(17)
    score = similarity(jnp.asarray(vectors), INDEX, SimilaritySet("x", pairs, human))
    assert any("zero" in pair for pair in pairs)
    assert score[0] == "x"
    assert score[2:] == (17, ())
    np.testing.assert_allclose(score.spearman, _spearman_by_loops(vectors, pairs, human))


def test_agrees_with_gensim(tmp_path):
    vectors, (pairs, human) = _vectors()[:-1], _pairs(45)
    known = [(p, h) for p, h in zip(pairs, human, strict=True) if "zero" not in p]
    pairs = [*(p for p, _ in known), ("tiger", "unicorn")]
    human = np.array([*(h for _, h in known), 9.5])
    path = tmp_path / "pairs.tsv"
    rows = [f"{a}\t{b}\t{h}\n" for (a, b), h in zip(pairs, human, strict=True)]
    path.write_text("".join(rows))
    peer = KeyedVectors(4)
    peer.add_vectors(WORDS[:-1], vectors)
    _, spearman, percent_missing = peer.evaluate_word_pairs(str(path))
    score = similarity(jnp.asarray(vectors), INDEX, SimilaritySet("x", pairs, human))
    np.testing.assert_allclose(score.spearman, spearman.statistic)
    assert score.pairs == 36
    assert percent_missing == pytest.approx(100 / 37)


def test_missing_words_are_named():
    vectors, (pairs, human) = jnp.asarray(_vectors()), _pairs(11)
    alone = similarity(vectors, INDEX, SimilaritySet("x", pairs, human))
    unknown = [("yeti", "cat"), ("tiger", "elf"), ("elf", "yeti")]
    more = SimilaritySet("x", unknown + pairs, np.concatenate([[1, 2, 3], human]))
    assert similarity(vectors, INDEX, more) == alone._replace(missing=("elf", "yeti"))


@pytest.mark.parametrize(
    ("pairs", "human", "known"),
    [
        ([("yeti", "cat")], [1.0], 0),
        ([("yeti", "cat"), ("sun", "moon")], [1.0, 2.0], 1),
        ([("tree", "cat"), ("sun", "moon"), ("car", "cat")], [2.0, 2.0, 2.0], 3),
        ([("zero", "cat"), ("zero", "moon"), ("zero", "sun")], [2.0, 3.0, 4.0], 3),
        ([("cat", "cat"), ("moon", "moon"), ("sun", "sun")], [2.0, 3.0, 4.0], 3),
    ],
)
def test_no_correlation_is_nan(pairs, human, known):
    score = similarity(jnp.asarray(_vectors()), INDEX, SimilaritySet("x", pairs, np.array(human)))
    assert np.isnan(score.spearman)
    assert score.pairs == known
