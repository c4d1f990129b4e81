import jax.numpy as jnp
import numpy as np
import pytest
from gensim.models import KeyedVectors

from jaxemb.data.word_sets import AnalogySection
from jaxemb.evaluation import analogies as module
from jaxemb.evaluation.analogies import AnalogyScore, analogies, total

CAPITALS = [
    *[("france", "paris"), ("italy", "rome"), ("spain", "madrid")],
    *[("japan", "tokyo"), ("egypt", "cairo"), ("cuba", "havana")],
]
FORMS = [
    *[("big", "bigger"), ("cold", "colder"), ("fast", "faster")],
    *[("long", "longer"), ("rich", "richer")],
]
OTHERS = [f"word{i}" for i in range(41)]


def _sections():
    """Every two pairs of a relationship, in both orders."""
    return [
        AnalogySection(name, [(*p, *q) for p in pairs for q in pairs if p != q])
        for name, pairs in (("capital", CAPITALS), ("gram3-comparative", FORMS))
    ]


def _table():
    """Pairs with a common offset under enough noise that some answers are right and some wrong."""
    rng = np.random.default_rng(7)
    paired = [word for pair in CAPITALS + FORMS for word in pair]
    words = [str(word) for word in rng.permutation(paired + OTHERS)]
    vectors = {word: rng.normal(size=15) for word in words}
    for pairs in (CAPITALS, FORMS):
        offset = 0.7 * rng.normal(size=15)
        for a, b in pairs:
            vectors[b] = vectors[a] + offset + 0.8 * rng.normal(size=15)
    table = np.array([vectors[word] for word in words]) * rng.gamma(4, 1, (len(words), 1))
    return words, {word: row for row, word in enumerate(words)}, table.astype(np.float32)


def _scores_by_loops(vectors, index, sections, most_frequent):
    """The papers' maximization, a word at a time in float64."""
    vectors = vectors[:most_frequent].astype(np.float64)

    def cosine(x, y):
        lengths = np.sqrt(sum(x * x)) * np.sqrt(sum(y * y))
        return sum(x * y) / lengths if lengths > 0 else 0.0

    found = []
    for section in sections:
        add = mul = asked = 0
        for question in section.questions:
            if any(word not in index or index[word] >= most_frequent for word in question):
                continue
            asked += 1
            *abc, answer = (index[word] for word in question)
            best_add = best_mul = (-np.inf, None)
            for row, x in enumerate(vectors):
                if row in abc:
                    continue
                a, b, c = (cosine(x, vectors[other]) for other in abc)
                if b - a + c > best_add[0]:
                    best_add = b - a + c, row
                product = (b + 1) / 2 * (c + 1) / 2 / ((a + 1) / 2 + 0.001)
                if product > best_mul[0]:
                    best_mul = product, row
            add += best_add[1] == answer
            mul += best_mul[1] == answer
        missing = len(section.questions) - asked
        found.append(AnalogyScore(section.name, add, mul, asked, missing))
    return found


# 22 words are asked with: two rows of the table a tile, thirteen a tile with two left over, all.
@pytest.mark.parametrize("cosines_at_a_time", [44, 22 * 13, 2**23])
def test_is_the_papers_answer_whatever_the_tiles(cosines_at_a_time, monkeypatch):
    monkeypatch.setattr(module, "_COSINES_AT_A_TIME", cosines_at_a_time)
    module._answer.clear_cache()
    _, index, vectors = _table()
    vectors[index["word5"]] = 0
    scores = analogies(jnp.asarray(vectors), index, _sections())
    assert scores == _scores_by_loops(vectors, index, _sections(), 30_000)
    assert [score.asked for score in scores] == [30, 20]
    # The comparison means something: both methods fail at times, and not at the same times.
    assert all(0 < score.correct_mul < score.correct_add < score.asked for score in scores)


@pytest.mark.parametrize("most_frequent", [1, 40, 60])
def test_rare_and_unknown_words(most_frequent):
    _, index, vectors = _table()
    del index["paris"]
    scores = analogies(jnp.asarray(vectors), index, _sections(), most_frequent=most_frequent)
    assert scores == _scores_by_loops(vectors, index, _sections(), most_frequent)
    assert all(score.missing > 0 for score in scores)


@pytest.mark.parametrize("most_frequent", [45, 63])
def test_agrees_with_gensim(tmp_path, most_frequent):
    words, index, vectors = _table()
    lines = []
    for section in _sections():
        lines += [f": {section.name}", *(" ".join(question) for question in section.questions)]
    path = tmp_path / "questions.txt"
    path.write_text("\n".join(lines) + "\n")
    peer = KeyedVectors(15)
    peer.add_vectors(words, vectors)
    accuracy, sections = peer.evaluate_word_analogies(str(path), restrict_vocab=most_frequent)
    scores = analogies(jnp.asarray(vectors), index, _sections(), most_frequent=most_frequent)
    right = [len(section["correct"]) for section in sections]
    wrong = [len(section["incorrect"]) for section in sections]
    everything = total("all", scores)
    assert [score.correct_add for score in (*scores, everything)] == right
    assert [score.asked - score.correct_add for score in (*scores, everything)] == wrong
    assert everything.percent_add == pytest.approx(100 * accuracy)


def test_equal_words_answer_in_the_order_of_the_table():
    index = {word: row for row, word in enumerate(["a", "b", "c", "first", "second"])}
    vectors = jnp.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [0, 1, 1]])
    questions = [("a", "b", "c", "second"), ("a", "b", "c", "first"), ("a", "b", "first", "second")]
    for question, correct in zip(questions, [0, 1, 1], strict=True):
        assert analogies(vectors, index, [AnalogySection("x", [question])]) == [
            AnalogyScore("x", correct, correct, 1, 0)
        ]


def test_zero_vectors_are_words_like_others():
    _, index, vectors = _table()
    vectors[[index["paris"], index["italy"], index["colder"]]] = 0
    scores = analogies(jnp.asarray(vectors), index, _sections())
    assert scores == _scores_by_loops(vectors, index, _sections(), 30_000)
    everything_zero = analogies(jnp.zeros((63, 15)), index, _sections())
    assert [score.asked for score in everything_zero] == [30, 20]


def test_a_word_asked_with_is_no_answer():
    _, index, vectors = _table()
    questions = [("paris", "rome", "word1", answer) for answer in ("paris", "rome", "word1")]
    score = analogies(jnp.asarray(vectors), index, [AnalogySection("x", questions)])
    assert score == [AnalogyScore("x", 0, 0, 3, 0)]


def test_total_and_percentages():
    scores = [AnalogyScore("x", 1, 2, 8, 3), AnalogyScore("y", 0, 5, 12, 4)]
    everything = total("both", scores)
    assert everything == AnalogyScore("both", 1, 7, 20, 7)
    assert (everything.percent_add, everything.percent_mul) == (5, 35)


def test_nothing_asked():
    empty = analogies(jnp.ones((2, 3)), {}, [AnalogySection("x", [("a", "b", "c", "d")])])
    assert empty == [AnalogyScore("x", 0, 0, 0, 1)]
    assert np.isnan([empty[0].percent_add, empty[0].percent_mul, total("", []).percent_add]).all()
