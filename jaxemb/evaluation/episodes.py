"""Few-shot episodes: new classes, classified from one or a few examples of each."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import as_labels, check_labels
from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, check_vectors, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean

# Episodes in a block.
_EPISODES = 64


class Episodes(NamedTuple):
    """E episodes of N classes, as rows of a data set; all rows of an episode differ.

    Attributes:
      support: [E, N, K] int32, K examples of each class.
      query: [E, N, Q] int32, examples to classify.
    """

    support: np.ndarray
    query: np.ndarray


class EpisodeScores(NamedTuple):
    """Accuracy over episodes.

    Attributes:
      accuracy: mean.
      interval: half the width of its 95% interval, 1.96 standard errors of the mean.
      episodes: how many.
    """

    accuracy: float
    interval: float
    episodes: int


def draw_episodes(
    key: jax.Array, labels: np.ndarray, *, ways: int, shots: int, queries: int, episodes: int
) -> Episodes:
    """Draws classes, and examples of each, uniformly and without replacement within an episode.

    Args:
      key: random key.
      labels: [R] whole numbers or names, classes of a data set's rows.
      ways: N, at least 2.
      shots: K.
      queries: Q, of each class.
      episodes: E, at least 2.

    Returns:
      The episodes.

    Raises:
      InputError: if labels are no integers, a number is too small, or too few classes have K + Q
        examples. Classes with fewer are not drawn.
    """
    labels = as_labels(labels, len(labels))
    least = {"ways": 2, "shots": 1, "queries": 1, "episodes": 2}
    given = {"ways": ways, "shots": shots, "queries": queries, "episodes": episodes}
    for name, value in given.items():
        if value < least[name]:
            raise InputError(f"{name} must be at least {least[name]}, found {value}")
    counts = np.unique(labels, return_counts=True)[1]
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    members = [rows for rows in members if len(rows) >= shots + queries]
    if len(members) < ways:
        raise InputError(
            f"{ways}-way episodes of {shots} + {queries} examples of a class need {ways} classes "
            f"with so many, found {len(members)} of {len(counts)}"
        )
    rng = np.random.Generator(np.random.Philox(key=np.ravel(jax.random.key_data(key))))
    rows = np.array(
        [
            [
                rng.choice(members[i], shots + queries, replace=False)
                for i in rng.choice(len(members), ways, replace=False)
            ]
            for _ in range(episodes)
        ],
        np.int32,
    )
    return Episodes(rows[:, :, :shots], rows[:, :, shots:])


def episode_accuracy(
    vectors: np.ndarray, episodes: Episodes, *, distance: Distance = pairwise_squared_euclidean
) -> EpisodeScores:
    """Classifies each query by the nearest class mean.

    Args:
      vectors: [R, D] finite, of all rows.
      episodes: from `draw_episodes`.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. Ties go to the first class: an embedding that has collapsed to a point has
      accuracy 1 / N.

    Raises:
      InputError: if the vectors are not finite.

    Reference:
      Vinyals et al. 2016, arXiv:1606.04080 (episodes); Snell et al. 2017, arXiv:1703.05175 (means).
    """
    check_vectors(vectors, "vectors")
    right = _right(jnp.asarray(vectors), *map(jnp.asarray, episodes), distance=distance)
    accuracies = np.asarray(right, np.float64)
    error = accuracies.std(ddof=1) / np.sqrt(len(accuracies))
    return EpisodeScores(float(accuracies.mean()), float(1.96 * error), len(accuracies))


@functools.partial(jax.jit, static_argnames="distance")
def _right(
    vectors: jax.Array, support: jax.Array, query: jax.Array, *, distance: Distance
) -> jax.Array:
    """Returns the [E] share of queries that are classified correctly."""

    def one(rows: tuple[jax.Array, jax.Array]) -> jax.Array:
        examples, asked = (vectors[ids] for ids in rows)  # [N, K, D], [N, Q, D]
        ways, queries, dim = asked.shape
        to_means = distance(asked.reshape(-1, dim), examples.mean(axis=1))  # [N Q, N]
        found = jnp.argmin(to_means, axis=1).reshape(ways, queries)
        return jnp.mean(found == jnp.arange(ways)[:, None])

    return jax.lax.map(one, (support, query), batch_size=_EPISODES)


def one_shot_runs(
    train: np.ndarray,
    test: np.ndarray,
    answers: np.ndarray,
    *,
    distance: Distance = pairwise_squared_euclidean,
) -> np.ndarray:
    """Evaluates given runs, e.g. Omniglot's official 20 of 20 characters each.

    Args:
      train: [R, N, D] one example of each of N classes.
      test: [R, Q, D] examples to classify.
      answers: [R, Q] int, the class of each in its run.
      distance: all distances between two sets of vectors.

    Returns:
      [R] error rates; their mean is the published figure. Ties go to the first class.

    Raises:
      InputError: if arrays don't belong together or an answer is out of range.

    Reference:
      Lake et al. 2015, "Human-level concept learning through probabilistic program induction".
    """
    runs, ways, dim = train.shape
    chex.assert_shape(test, (runs, None, dim))
    chex.assert_shape(answers, test.shape[:2])
    check_labels(answers.ravel(), answers.size, classes=ways)
    errors = np.empty(runs)
    for run in range(runs):
        blocks = distance_rows(test[run], train[run], distance)
        found = np.concatenate([block.argmin(axis=1) for _, block in blocks])
        errors[run] = (found != answers[run]).mean()
    return errors
