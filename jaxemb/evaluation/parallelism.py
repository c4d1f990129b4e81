"""Whether the offsets of related pairs of words, king to queen and uncle to aunt, are parallel."""

from typing import NamedTuple

import chex
import jax
import numpy as np
from sklearn.preprocessing import normalize

from jaxemb.data.vocabulary import check_ids


class Parallelism(NamedTuple):
    """How parallel the offsets of a relation's pairs are, and how much of it is due to pairing.

    Intervals are 95% bootstrap intervals over the pairs; nan below three pairs.

    Attributes:
      cosine: mean over every two offsets without a common word, in [-1, 1]; nan if there are none.
      interval: of it.
      shuffled: the same with the second words permuted among the pairs. It is above 0 where second
        words are of another kind than first words, however they are paired.
      shuffled_interval: of it.
      excess_interval: of the difference of the two; above 0 the pairing matters.
    """

    cosine: float
    interval: tuple[float, float]
    shuffled: float
    shuffled_interval: tuple[float, float]
    excess_interval: tuple[float, float]


def parallelism(
    key: jax.Array, vectors: np.ndarray, pairs: np.ndarray, *, resamples: int = 1000
) -> Parallelism:
    """Measures the cosines between the offsets of pairs, as paired and with second words permuted.

    Word vectors are scaled to norm 1, as for analogies. Two pairs that share a word are not
    compared: offsets from random words to a common one have a cosine of 1/2. An offset of 0 has
    cosine 0.

    Args:
      key: random key.
      vectors: [V, D] finite.
      pairs: [P, 2] int rows of `vectors`: the first word of each pair and the second. Time and
        memory grow with P squared.
      resamples: bootstrap samples, each permuted once.

    Returns:
      The cosines with their intervals.

    Raises:
      AssertionError: if `pairs` is not [P, 2].
      InputError: if a row is out of range.

    Reference:
      Fournier, Dupoux and Dunbar 2020, "Analogies minus analogy test": offset concentration, and
      pairing consistency by shuffled pairs.
    """
    chex.assert_shape(pairs, (None, 2))
    check_ids(pairs, len(vectors), "pairs")
    words, numbers = np.unique(pairs, return_inverse=True)
    numbers = numbers.reshape(pairs.shape)
    unit = normalize(np.asarray(vectors[words], np.float64)) if len(pairs) else np.empty((0, 1))
    rng = np.random.Generator(np.random.Philox(key=np.ravel(jax.random.key_data(key))))
    every = np.arange(len(pairs))
    cosine = _mean_cosine(unit, numbers, every, every)
    means = np.full((resamples, 2), np.nan)
    for number in range(resamples if len(pairs) >= 3 else 0):
        rows = rng.choice(every, len(every))
        means[number, 0] = _mean_cosine(unit, numbers, rows, rows)
        means[number, 1] = _mean_cosine(unit, numbers, rows, rng.permutation(rows))
    true, shuffled = means.T
    known = shuffled[~np.isnan(shuffled)]
    return Parallelism(
        cosine,
        _interval(true),
        float(known.mean()) if known.size else np.nan,
        _interval(shuffled),
        _interval(true - shuffled),
    )


def _mean_cosine(
    unit: np.ndarray, numbers: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Returns the mean cosine of offsets, nan if there are no two to compare.

    Args:
      unit: [U, D] words of norm 1 or 0.
      numbers: [P, 2] rows of it, the words of each pair.
      first: [Q] pairs whose first words the offsets start from.
      second: [Q] pairs whose second words they lead to; `first` itself for offsets as paired.
    """
    starts, ends = numbers[first, 0], numbers[second, 1]
    offsets = normalize(unit[ends] - unit[starts]) if len(first) else np.empty((0, 1))
    # Permuted, a word may meet itself, which has no direction, or stay in its own pair.
    meant = starts != ends
    if first is not second:
        meant &= first != second
    compared = meant[:, None] & meant[None, :]
    # The words of a pair are alike, so that permuted offsets that share a pair are left out, too.
    for sides in ((starts, ends), (first, second)):
        for x in sides:
            for y in sides:
                compared &= x[:, None] != y[None, :]
    count = np.count_nonzero(compared)
    return float((offsets @ offsets.T)[compared].sum() / count) if count else np.nan


def _interval(means: np.ndarray) -> tuple[float, float]:
    known = means[~np.isnan(means)]
    if not known.size:
        return np.nan, np.nan
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
