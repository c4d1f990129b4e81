"""Nearest neighbors of every point of a data set, exactly or nearly so, in bounded memory."""

import dataclasses
import functools
import math
import warnings
from typing import Any, Literal, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import check_field, check_fields, check_points
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.fields import documented
from jaxemb.progress import phase
from jaxemb.projections.distance_matrix import check_distances

Metric = Literal["euclidean", "cosine"]
Given = Literal["precomputed"]
Engine = Literal["auto", "exact", "approximate"]

# Squares of these, and their sums over a million columns, are float32 numbers.
_LARGEST, _SMALLEST = 2.0**55, 2.0**-40
# Numbers of a temporary array: 64 MiB in float32.
_AT_A_TIME = 2**24


@documented
@dataclasses.dataclass(frozen=True)
class Lists:
    """Inverted lists, which an approximate search looks through a few of."""

    approximate_from: int = 50_000
    """From this many points on, auto searches approximately, on a CPU."""
    lists_per_root: float = 2.0
    """Lists, as a multiple of the root of the number of points."""
    lists_probed: int = 32
    """Lists looked through for a point."""
    list_rounds: int = 8
    """Rounds of k-means that make the lists; they need not be the best."""
    list_sample: int = 64
    """Points for each list that k-means sees."""
    list_components: int = 100
    """Principal components of the lists' points, where points have twice as many numbers or more:
    what is found among these is then compared by all numbers."""
    candidates_per_neighbor: float = 2.0
    """Points found among the components, as a multiple of the neighbors wanted."""
    recall_sample: int = 1000
    """Points whose neighbors are also searched exactly, to measure the share that was found."""

    def __post_init__(self) -> None:
        """Refuses values outside their documented range.

        Raises:
          InputError: naming the field.
        """
        check_fields(self)
        for name in (
            *("lists_probed", "list_rounds", "list_sample", "list_components", "recall_sample"),
            "candidates_per_neighbor",
        ):
            check_field(self, name, at_least=1)
        check_field(self, "candidates_per_neighbor", at_most=1e6)
        check_field(self, "approximate_from", at_least=0)
        check_field(self, "lists_per_root", above=0, at_most=100)


class Neighbors(NamedTuple):
    """The k nearest neighbors of N points among M others, or among themselves.

    Attributes:
      ids: [N, k] int32, nearest first; never -1, and never the point itself.
      distances: [N, k] float32, squared, in the units of `points * scale`; or 1 - cosine in [0, 2],
        half the square of unit vectors' distance. Taken of differences, so that close points far
        from the rest keep theirs.
      scale: what points were multiplied by: 1, or a power of two where squares would not be
        float32 numbers.
      recall: share in [0, 1] of the true neighbors found; 1 for an exact search, measured on a
        sample for an approximate one.
    """

    ids: np.ndarray
    distances: np.ndarray
    scale: float
    recall: float


def nearest_neighbors(
    points: np.ndarray,
    *,
    k: int,
    metric: Metric | Given = "euclidean",
    engine: Engine = "auto",
    lists: Lists | None = None,
) -> Neighbors:
    """Finds the k nearest other points of each point. A duplicate is another point.

    On CPU, Faiss searches: all pairs, or inverted lists of which a few are looked through. On an
    accelerator all pairs are compared tile by tile (`tiled_search`).

    Args:
      points: [N, D] float, N at least 4; [N, N] their distances for the metric "precomputed".
      k: neighbors of each, less than N.
      metric: "euclidean"; "cosine" for 1 - cosine; or "precomputed".
      engine: "exact", "approximate" (CPU), or "auto": exact for few points, and on accelerators.
      lists: of an approximate search.

    Returns:
      The neighbors. The same input gives the same bits on the same machine.

    Raises:
      InputError: if `points` or k is outside its documented range, a number is not finite, or a
        point of the metric "cosine" is zero.
    """
    check_points(points)
    rows = len(points)
    if not 1 <= k < rows:
        raise InputError(f"k must be from 1 to {rows - 1}, the other points, found {k}")
    if metric == "precomputed":
        check_distances(points)
        return _nearest_given(points, k, without_self=True)
    lists = lists or Lists()
    table, scale = _prepared(points, metric)
    accelerator = jax.default_backend() != "cpu"
    if engine == "auto":
        many = rows >= lists.approximate_from
        engine = "approximate" if many and not accelerator else "exact"
    recall = 1.0
    with phase(f"searching for the neighbors of {rows:,} points"):
        if engine == "approximate":
            ids, recall = _search_lists(table, k, metric, lists)
        elif accelerator:
            ids = np.asarray(tiled_search(jnp.asarray(table), jnp.arange(rows), k=k, metric=metric))
        else:
            index = _flat_index(table, metric)
            ids = _without_self(index.search(table, k + 1)[1], np.arange(rows))
        return Neighbors(*_sorted(table, table, ids, metric), scale, recall)


def neighbors_among(
    references: np.ndarray,
    points: np.ndarray,
    *,
    k: int,
    metric: Metric | Given = "euclidean",
) -> Neighbors:
    """Finds the k nearest references of each new point, exactly.

    Args:
      references: [M, D] float, M at least 4; for the metric "precomputed" anything of M rows.
      points: [N, D] float, N at least 1; for the metric "precomputed" the distances [N, M] of new
        points to the references.
      k: at most M.
      metric: as in `nearest_neighbors`.

    Returns:
      The neighbors; a reference equal to the point is one of them.

    Raises:
      InputError: if an argument is outside its documented range, a number is not finite, or a
        point of the metric "cosine" is zero.
    """
    given = metric == "precomputed"
    if not given:
        check_points(references, name="references")
    check_points(points, at_least=1, name="distances" if given else "points")
    width = len(references) if given else references.shape[1]
    if points.shape[1] != width:
        what = "distances to each of the references" if given else "columns, as the references"
        raise InputError(f"points must have {width} {what}, found {points.shape[1]}")
    if not 1 <= k <= len(references):
        raise InputError(f"k must be from 1 to {len(references)}, the references, found {k}")
    if metric == "precomputed":
        if points.min() < 0:
            raise InputError(f"distances must be at least 0, found {points.min()}")
        return _nearest_given(points, k)
    both, scale = _prepared(np.concatenate([references, points]), metric)
    table, queries = both[: len(references)], both[len(references) :]
    if jax.default_backend() != "cpu":
        own = jnp.full(len(queries), -1)
        ids = np.asarray(
            tiled_search(jnp.asarray(table), own, jnp.asarray(queries), k=k, metric=metric)
        )
    else:
        ids = _flat_index(table, metric).search(queries, k)[1]
    return Neighbors(*_sorted(table, queries, ids, metric), scale, 1.0)


def _nearest_given(distances: np.ndarray, k: int, *, without_self: bool = False) -> Neighbors:
    """Returns the nearest by a matrix of distances, [N, M] or between the same points [N, N]."""
    largest = float(distances.max())
    scale = 2.0 ** -np.frexp(largest)[1] if largest > _LARGEST or 0 < largest < _SMALLEST else 1.0
    ids = np.empty((len(distances), k), np.int32)
    found = np.empty((len(distances), k), np.float32)
    step = max(1, _AT_A_TIME // distances.shape[1])
    for start in range(0, len(distances), step):
        block = np.array(distances[start : start + step])
        if without_self:
            own = np.arange(len(block))
            block[own, start + own] = np.inf
        # Stable, so that equally near ones come in the order of the columns.
        nearest = np.argsort(block, axis=1, kind="stable")[:, :k]
        ids[start : start + step] = nearest
        squares = np.square(np.take_along_axis(block, nearest, axis=1) * scale)
        found[start : start + step] = squares
    return Neighbors(ids, found, scale, 1.0)


def _prepared(points: np.ndarray, metric: Metric) -> tuple[np.ndarray, float]:
    """Returns the points in float32, centered or of unit norm, and what they were multiplied by."""
    largest = np.abs(points).max(axis=1 if metric == "cosine" else None, keepdims=True)
    if metric == "cosine":
        if (zero := np.flatnonzero(largest == 0)).size:
            raise InputError(
                f"a point that is zero has no cosine: row {zero[0]}; {zero.size:,} such rows. Drop "
                'them, or take the metric "euclidean"'
            )
        # Divided first, squares neither overflow nor vanish.
        table = points / largest
        table /= np.linalg.norm(table, axis=1, keepdims=True)
        return np.ascontiguousarray(table, np.float32), 1.0
    # Far from the origin, products would cancel; the sum of huge numbers would overflow.
    table = points - np.mean(points, axis=0, dtype=np.float64, keepdims=True)
    widest = float(np.abs(table).max())
    scale = 1.0
    if widest > _LARGEST or 0 < widest < _SMALLEST:
        scale = 2.0 ** -np.frexp(widest)[1]
        table *= scale
    return np.ascontiguousarray(table, np.float32), scale


@functools.partial(jax.jit, static_argnames=("k", "metric"))
def tiled_search(
    table: jax.Array,
    own: jax.Array,
    queries: jax.Array | None = None,
    *,
    k: int,
    metric: Metric = "euclidean",
) -> jax.Array:
    """Finds the k nearest rows of a table by comparing all pairs, a tile of queries at a time.

    Args:
      table: [M, D] float; rows of norm 1 for "cosine".
      own: [N] the row of the table that each query is, left out; -1 for none.
      queries: [N, D]; None takes the table.
      k: neighbors of each.
      metric: "euclidean" or "cosine".

    Returns:
      [N, k] int32 row numbers, nearest first; equally near ones in the order of the table.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    queries = table if queries is None else queries
    rows, dim = table.shape
    chex.assert_shape(queries, (None, dim))
    chex.assert_shape(own, (len(queries),))
    # The norms' halves: the query's own is the same for all rows.
    halves = jnp.sum(table * table, axis=1) / 2 if metric == "euclidean" else 0.0

    def one(query: jax.Array, self: jax.Array) -> jax.Array:
        # GPUs would otherwise multiply in TF32 and confuse near neighbors.
        products = jnp.matmul(table, query, precision=jax.lax.Precision.HIGHEST)
        barred = jnp.arange(rows) == self
        return jax.lax.top_k(jnp.where(barred, -jnp.inf, products - halves), k)[1]

    tile = max(1, min(len(queries), _AT_A_TIME // rows))
    return jax.lax.map(lambda pair: one(*pair), (queries, own), batch_size=tile)


def _faiss() -> Any:
    """Imports Faiss, which starts threads for all cores and whose wrappers warn of themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import faiss
    return faiss


def _flat_index(table: np.ndarray, metric: Metric) -> Any:
    faiss = _faiss()
    make = faiss.IndexFlatL2 if metric == "euclidean" else faiss.IndexFlatIP
    index = make(table.shape[1])
    index.add(table)
    return index


def _search_lists(
    table: np.ndarray, k: int, metric: Metric, asked: Lists
) -> tuple[np.ndarray, float]:
    """Returns [N, k] neighbors from inverted lists, and their recall."""
    faiss = _faiss()
    rows, dim = table.shape
    lists = max(1, int(asked.lists_per_root * rows**0.5))
    euclidean = metric == "euclidean"
    searched, wanted = table, k
    if 2 * asked.list_components <= dim:
        # Distances in fewer dimensions are quicker. Of unit vectors, too, the nearest are nearest.
        searched, euclidean = _components(table, min(asked.list_components, rows)), True
        wanted = min(rows - 1, math.ceil(asked.candidates_per_neighbor * k))
        dim = searched.shape[1]
    kind = faiss.METRIC_L2 if euclidean else faiss.METRIC_INNER_PRODUCT
    coarse = (faiss.IndexFlatL2 if euclidean else faiss.IndexFlatIP)(dim)
    index = faiss.IndexIVFFlat(coarse, dim, lists, kind)
    index.cp.niter, index.cp.max_points_per_centroid = asked.list_rounds, asked.list_sample
    index.cp.min_points_per_centroid = 1
    index.train(searched)
    index.add(searched)
    index.nprobe = min(lists, asked.lists_probed)
    ids = _without_self(index.search(searched, wanted + 1)[1], np.arange(rows))
    del index, searched
    exact = _flat_index(table, metric)
    # Too few points in the lists looked through.
    short = np.flatnonzero((ids < 0).any(axis=1))
    if len(short):
        ids[short] = _without_self(exact.search(table[short], wanted + 1)[1], short)
    if wanted > k:
        ids = _sorted(table, table, ids, metric)[0][:, :k]
    sample = np.linspace(0, rows - 1, min(rows, asked.recall_sample)).astype(int)
    true = _without_self(exact.search(table[sample], k + 1)[1], sample)
    found = [len(np.intersect1d(*pair)) for pair in zip(ids[sample], true, strict=True)]
    return ids, float(np.mean(found) / k)


def _components(table: np.ndarray, components: int) -> np.ndarray:
    """Returns the points' first principal components, about: they only choose candidates."""
    points = jnp.asarray(table)
    found = pca.fit_randomized(jax.random.key(0), points, components=components, power_iterations=2)
    return np.ascontiguousarray(pca.transform(found, points), np.float32)


def _without_self(ids: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Drops each row's own number from [N, k + 1] ids, or the last if the point is not there.

    Among more than k duplicates a search need not find the point itself.
    """
    is_own = ids == own[:, None]
    place = np.where(is_own.any(axis=1), is_own.argmax(axis=1), ids.shape[1])
    before = np.arange(ids.shape[1] - 1)[None] < place[:, None]
    return np.where(before, ids[:, :-1], ids[:, 1:]).astype(np.int32)


def _sorted(
    table: np.ndarray, queries: np.ndarray, ids: np.ndarray, metric: Metric
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ids in the order of their distances, and these, taken of differences."""
    step = max(1, min(len(ids), _AT_A_TIME // (ids.shape[1] * table.shape[1])))
    on_device = jnp.asarray(table)
    pad = -len(ids) % step
    found = _distances(
        on_device,
        np.pad(queries, ((0, pad), (0, 0))),
        np.pad(ids, ((0, pad), (0, 0))).astype(np.int32),
        step=step,
        metric=metric,
    )
    ids, distances = (np.asarray(part)[: len(ids)] for part in found)
    return ids, distances


@functools.partial(jax.jit, static_argnames=("step", "metric"))
def _distances(
    table: jax.Array, queries: jax.Array, ids: jax.Array, *, step: int, metric: Metric
) -> tuple[jax.Array, jax.Array]:
    def tile(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        query, ids = pair
        other = table[ids]  # [step, k, D]
        squares = jnp.sum(jnp.square(other - query[:, None]), axis=-1)
        if metric == "cosine":
            squares /= 2  # the vectors have length 1
        squares, ids = jax.lax.sort((squares, ids), num_keys=2)
        return ids, squares

    tiles = jax.tree.map(lambda a: a.reshape(-1, step, a.shape[-1]), (queries, ids))
    ids, distances = jax.lax.map(tile, tiles)
    return ids.reshape(-1, ids.shape[-1]), distances.reshape(-1, ids.shape[-1])
