import collections

import numpy as np
import pytest

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.sampling.walks import Options, as_events, walk

# A weighted triangle with a tail, and an edge back to itself.
GRAPH = data.from_edges(list("abcacd"), list("bcadde"), [1, 2, 3, 0.5, 1, 4])


def exact(graph, before, at, p, q):
    """The transition probabilities of section 3.2.2 of node2vec, by loops."""
    dense = graph.weights.toarray()
    found = np.zeros(len(dense))
    for node in range(len(dense)):
        bias = 1.0
        if before is not None:
            bias = 1 / p if node == before else 1.0 if dense[before, node] > 0 else 1 / q
        found[node] = bias * dense[at, node]
    return found / found.sum()


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (4.0, 0.25), (0.2, 3.0)])
def test_steps_have_the_probabilities_of_the_paper(p, q):
    walks = walk(0, GRAPH, Options(walks=3000, length=12, p=p, q=q))
    assert walks.shape == (3000 * 5, 12)
    assert (walks[:, 0] == np.tile(np.arange(5), 3000)).all()
    counts = collections.defaultdict(lambda: np.zeros(5))
    for place in range(1, 12):
        before = [None] * len(walks) if place == 1 else walks[:, place - 2].tolist()
        for past, at, to in zip(before, walks[:, place - 1], walks[:, place], strict=True):
            counts[past, int(at)][to] += 1
    assert len(counts) > 15
    for (past, at), found in counts.items():
        wanted = exact(GRAPH, past, at, p, q)
        # Five standard deviations of a share.
        off = 5 * np.sqrt(wanted * (1 - wanted) / found.sum()) + 1e-12
        assert (np.abs(found / found.sum() - wanted) <= off).all(), (past, at)


def test_a_walk_ends_where_no_edge_leads_on():
    graph = data.from_edges(["a", "b"], ["b", "c"], directed=True)
    walks = walk(1, graph, Options(walks=1, length=4, q=2.0))
    assert walks.tolist() == [[0, 1, 2, -1], [1, 2, -1, -1], [2, -1, -1, -1]]
    events = as_events(walks, graph)
    assert [events.history(walk) for walk in range(3)] == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_the_same_seed_walks_the_same_way():
    one, same, other = (walk(seed, GRAPH, Options(walks=2)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_walks_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="p must be at least 0.001"):
        Options(p=0.0)
    with pytest.raises(InputError, match="length must be at least 2"):
        Options(length=1)
