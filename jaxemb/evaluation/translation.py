"""Retrieval in another space: nearest neighbors, corrected for hubs."""

import functools
from collections.abc import Iterable
from typing import Literal, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.distances import unit

Retrieval = Literal["nearest", "csls", "inverted_softmax"]

# Cosines in a block: 64 MiB in float32.
_AT_A_TIME = 1 << 24


class Retrieved(NamedTuple):
    """What is nearest in the other space.

    Attributes:
      ids: [B, k] int32, nearest first.
      scores: [B, k] by which they are; a cosine, or what a correction made of it.
    """

    ids: np.ndarray
    scores: np.ndarray


def retrieve(
    queries: jax.Array,
    candidates: jax.Array,
    *,
    k: int = 1,
    by: Retrieval = "csls",
    neighbors: int = 10,
    temperature: float = 0.1,
    others: jax.Array | None = None,
) -> Retrieved:
    """Finds the candidates nearest to each query, where a few candidates may be near to all.

    "csls" subtracts from twice the cosine the mean cosine of each side to its nearest neighbors on
    the other. "inverted_softmax" divides the exponential of the cosine over the temperature by the
    sum of a candidate's over all queries; its score is the logarithm.

    Args:
      queries: [B, D] finite; need not be normalized.
      candidates: [V, D] finite.
      k: how many, at most V.
      by: cosine alone ("nearest"), or corrected.
      neighbors: of the correction "csls", at most V, and at most the others.
      temperature: of the correction "inverted_softmax".
      others: [Q, D] queries by which candidates' corrections are estimated, e.g. all words of the
        language. None takes the queries.

    Returns:
      The candidates of each query.

    Raises:
      AssertionError: if a shape or number disagrees with the above.

    Reference:
      Conneau et al. 2018, arXiv:1710.04087, section 2.3; Smith et al. 2017, arXiv:1702.03859,
      section 2.2.
    """
    chex.assert_rank([queries, candidates], 2)
    assert 1 <= k <= len(candidates), f"{k} of {len(candidates)} candidates"
    queries, candidates = unit(queries), unit(candidates)
    others = queries if others is None else unit(others)
    chex.assert_equal_shape_suffix([queries, candidates, others], 1)
    if by == "nearest":
        return _best(queries, candidates, jnp.zeros(len(candidates)), 1.0, k)
    if by == "csls":
        hubs = mean_of_nearest(candidates, others, min(neighbors, len(others)))
        found = _best(queries, candidates, hubs, 2.0, k)
        own = mean_of_nearest(queries, candidates, min(neighbors, len(candidates)))
        return found._replace(scores=found.scores - np.asarray(own)[:, None])
    assert by == "inverted_softmax", f"unknown retrieval {by!r}"
    sums = _log_sums(candidates, others, temperature)
    return _best(queries, candidates, sums, 1 / temperature, k)


def precision_at_one(found: np.ndarray, right: Iterable[Iterable[int]]) -> float:
    """Returns the share of queries whose first candidate is one of the right ones.

    Args:
      found: [B] or [B, k] candidates, nearest first.
      right: B sets of right candidates.
    """
    first = found if found.ndim == 1 else found[:, 0]
    hits = [one in set(answers) for one, answers in zip(first.tolist(), right, strict=True)]
    return float(np.mean(hits)) if hits else float("nan")


def _blocks(rows: jax.Array, table: jax.Array) -> int:
    return max(1, min(len(rows), _AT_A_TIME // len(table)))


@functools.partial(jax.jit, static_argnames=("k", "size"))
def _best_of(
    queries: jax.Array, candidates: jax.Array, less: jax.Array, factor: float, k: int, size: int
) -> tuple[jax.Array, jax.Array]:
    def one(query: jax.Array) -> tuple[jax.Array, jax.Array]:
        cosines = jnp.matmul(candidates, query, precision=jax.lax.Precision.HIGHEST)
        return jax.lax.top_k(factor * cosines - less, k)

    return jax.lax.map(one, queries, batch_size=size)


def _best(
    queries: jax.Array, candidates: jax.Array, less: jax.Array, factor: float, k: int
) -> Retrieved:
    size = _blocks(queries, candidates)
    scores, ids = _best_of(queries, candidates, less, factor, k, size)
    return Retrieved(np.asarray(ids), np.asarray(scores))


def mean_of_nearest(rows: jax.Array, others: jax.Array, neighbors: int) -> jax.Array:
    """Computes how near others are, which corrects for hubs.

    Args:
      rows: [N, D] of length 1.
      others: [M, D] of length 1.
      neighbors: in 1..M.

    Returns:
      [N] the mean cosine of each row to its nearest others.
    """
    size = _blocks(rows, others)
    return jnp.mean(_best_of(rows, others, jnp.zeros(len(others)), 1.0, neighbors, size)[0], axis=1)


def _log_sums(rows: jax.Array, others: jax.Array, temperature: float) -> jax.Array:
    """Returns [N] the logarithm of each row's sum of exponentials over all others."""

    def one(row: jax.Array) -> jax.Array:
        cosines = jnp.matmul(others, row, precision=jax.lax.Precision.HIGHEST)
        return jax.nn.logsumexp(cosines / temperature)

    return jax.jit(lambda rows: jax.lax.map(one, rows, batch_size=_blocks(rows, others)))(rows)
