"""Random walks on a graph: sequences of nodes that methods read as sentences."""

import dataclasses

import jax
import numpy as np

from jaxemb import checks
from jaxemb.data.edges import Graph
from jaxemb.data.events import Events, from_events
from jaxemb.fields import documented


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """How walks go; the defaults are DeepWalk's."""

    walks: int = 10
    """Walks from each node."""
    length: int = 40
    """Nodes of a walk, at most: it ends where no edge leads on."""
    p: float = 1.0
    """Above 1 a walk seldom goes back where it came from, below often."""
    q: float = 1.0
    """Above 1 a walk stays near the node before, below it goes away."""

    def __post_init__(self) -> None:
        """Refuses values that no walk can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "walks", at_least=1)
        checks.check_field(self, "length", at_least=2)
        for name in ("p", "q"):
            checks.check_field(self, name, at_least=1e-3, at_most=1e3)


def walk(key: jax.Array | int, graph: Graph, options: Options | None = None) -> np.ndarray:
    """Walks from every node.

    A node of a walk is drawn in proportion to the weight of the edge that leads there; behind the
    second node, this is times 1 / p for the node before, 1 for its neighbors and 1 / q for others.

    Args:
      key: random key or seed.
      graph: of N nodes.
      options: the defaults if None.

    Returns:
      [walks * N, length] int32 nodes; -1 behind the end of a walk.

    Reference:
      Perozzi et al. 2014, arXiv:1403.6652 (DeepWalk); Grover & Leskovec 2016, arXiv:1607.00653
      (node2vec), drawn by rejection, which needs no table of all pairs of edges.
    """
    options = checks.as_options(options, Options)
    rng = np.random.default_rng(
        [int(word) for word in np.asarray(jax.random.key_data(checks.as_key(key))).ravel()]
    )
    count = len(graph.names)
    starts = np.tile(np.arange(count, dtype=np.int32), options.walks)
    found = np.full((len(starts), options.length), -1, np.int32)
    found[:, 0] = starts
    steps = _Steps(graph, options)
    going = np.arange(len(starts))
    for place in range(1, options.length):
        going = going[steps.degrees[found[going, place - 1]] > 0]
        if not len(going):
            break
        before = found[going, place - 2] if place > 1 else None
        found[going, place] = steps.draw(rng, found[going, place - 1], before)
    return found


def as_events(walks: np.ndarray, graph: Graph) -> Events:
    """Returns walks as events: each walk is a user, who meets its nodes in order.

    Args:
      walks: [W, length] of `walk`.
      graph: that they are on.
    """
    users, places = np.nonzero(walks >= 0)
    return from_events(users, np.array(graph.names)[walks[users, places]])


class _Steps:
    """Draws the next nodes of many walks at once."""

    def __init__(self, graph: Graph, options: Options):
        """Adds the weights up, so that a uniform number finds a neighbor."""
        weights = graph.weights
        self._count = len(graph.names)
        self._neighbors = weights.indices
        self._sums = np.concatenate([[0.0], np.cumsum(weights.data)])
        self._first = self._sums[weights.indptr[:-1]]
        self._total = self._sums[weights.indptr[1:]] - self._first
        self._last = weights.indptr[1:] - 1
        self._begin = weights.indptr[:-1]
        self.degrees = np.diff(weights.indptr)
        rows = np.repeat(np.arange(self._count, dtype=np.int64), self.degrees)
        self._edges = rows * self._count + weights.indices
        self._back, self._away = 1 / options.p, 1 / options.q

    def draw(
        self, rng: np.random.Generator, at: np.ndarray, before: np.ndarray | None
    ) -> np.ndarray:
        """Returns the next nodes [B] of walks that are at some and were before at others."""
        found = self._neighbor(rng, at)
        if before is None or self._back == self._away == 1:
            return found
        most = max(self._back, 1.0, self._away)
        open_ = np.arange(len(at))
        while len(open_):
            bias = self._bias(before[open_], found[open_])
            open_ = open_[rng.random(len(open_)) * most >= bias]
            found[open_] = self._neighbor(rng, at[open_])
        return found

    def _neighbor(self, rng: np.random.Generator, at: np.ndarray) -> np.ndarray:
        reached = self._first[at] + rng.random(len(at)) * self._total[at]
        edge = np.searchsorted(self._sums, reached, side="right") - 1
        # Sums are rounded.
        return self._neighbors[np.clip(edge, self._begin[at], self._last[at])]

    def _bias(self, before: np.ndarray, found: np.ndarray) -> np.ndarray:
        wanted = before.astype(np.int64) * self._count + found
        place = np.minimum(np.searchsorted(self._edges, wanted), len(self._edges) - 1)
        near = self._edges[place] == wanted
        return np.where(found == before, self._back, np.where(near, 1.0, self._away))
