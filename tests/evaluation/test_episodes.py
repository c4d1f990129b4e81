import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.episodes import draw_episodes, episode_accuracy, one_shot_runs
from jaxemb.losses.distances import pairwise_l1

D = 3
KEY = jax.random.key(1)


def data():
    """Ten classes of 3 to 12 things."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(10) * 2, np.arange(3, 13)))
    centers = rng.normal(size=(20, D))
    return centers[labels] + rng.normal(size=(len(labels), D)) / 2, labels


def draw(**change):
    options = {"ways": 4, "shots": 2, "queries": 3, "episodes": 200} | change
    return draw_episodes(KEY, data()[1], **options)


def test_episodes_hold_what_they_should():
    episodes, labels = draw(), data()[1]
    assert episodes.support.shape == (200, 4, 2)
    assert episodes.query.shape == (200, 4, 3)
    rows = np.concatenate(episodes, axis=2)
    classes = labels[rows]
    assert (classes == classes[:, :, :1]).all()
    for episode in rows:
        assert len(set(episode.ravel())) == 20
        assert len(set(labels[episode[:, 0]])) == 4
    # Two classes are too small; the others, and their rows, come up evenly.
    seen, counts = np.unique(classes[:, :, 0], return_counts=True)
    assert seen.tolist() == [4, 6, 8, 10, 12, 14, 16, 18]
    assert (np.abs(counts - 100) < 4 * np.sqrt(50)).all()
    _, counts = np.unique(rows[labels[rows] == 18], return_counts=True)
    assert len(counts) == 12


def test_the_key_decides():
    np.testing.assert_array_equal(draw().query, draw().query)
    other = draw_episodes(jax.random.key(2), data()[1], ways=4, shots=2, queries=3, episodes=200)
    assert (other.query != draw().query).any()


@pytest.mark.parametrize("distance", [None, pairwise_l1])
def test_accuracy_and_interval(distance):
    vectors, _ = data()
    episodes = draw(episodes=70)  # more than are computed at a time
    accuracies = []
    for support, query in zip(*episodes, strict=True):
        means = [vectors[rows].mean(axis=0) for rows in support]
        right = 0
        for way in range(4):
            for row in query[way]:
                gaps = np.array([vectors[row] - mean for mean in means])
                lengths = (gaps**2 if distance is None else np.abs(gaps)).sum(axis=1)
                right += lengths.argmin() == way
        accuracies.append(right / 12)
    found = episode_accuracy(vectors, episodes, **({"distance": distance} if distance else {}))
    mean = sum(accuracies) / 70
    variance = sum((a - mean) ** 2 for a in accuracies) / 69
    assert found == pytest.approx((mean, 1.96 * (variance / 70) ** 0.5, 70))
    assert 0.25 < mean < 1


def test_a_collapsed_embedding_is_right_by_chance():
    vectors, _ = data()
    assert episode_accuracy(0 * vectors, draw()) == (0.25, 0.0, 200)


def test_runs_that_are_given():
    rng = np.random.default_rng(3)
    train = rng.normal(size=(3, 5, D))
    answers = np.array([rng.permutation(5) for _ in range(3)])
    test = np.take_along_axis(train, answers[:, :, None], axis=1)
    assert one_shot_runs(train, test, answers).tolist() == [0, 0, 0]
    # Two answers of the second run exchanged, all of the third one further.
    answers[1, [0, 1]] = answers[1, [1, 0]]
    answers[2] = (answers[2] + 1) % 5
    np.testing.assert_allclose(one_shot_runs(train, test, answers), [0, 0.4, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ways": 1}, "ways must be at least 2, found 1"),
        ({"shots": 0}, "shots must be at least 1, found 0"),
        ({"episodes": 1}, "episodes must be at least 2, found 1"),
        ({"ways": 9}, r"9-way episodes of 2 \+ 3 examples of a class need 9 classes .*found 8 of"),
        ({"queries": 99}, "need 4 classes with so many, found 0 of 10"),
    ],
)
def test_wrong_episodes(change, message):
    with pytest.raises(InputError, match=message):
        draw(**change)


def test_wrong_input():
    vectors, _ = data()
    vectors[4, 1] = np.inf
    with pytest.raises(
        InputError, match="vectors: 1 of 75 rows are not finite, the first is row 4"
    ):
        episode_accuracy(vectors, draw())
    runs = np.zeros((2, 5, D))
    with pytest.raises(InputError, match=r"label 5 at position 9 is outside \[0, 5\)"):
        one_shot_runs(runs, runs, np.array([[0] * 5, [0, 1, 2, 3, 5]]))
    with pytest.raises(AssertionError):
        one_shot_runs(runs, runs, np.zeros((2, 4), int))
