import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation import distance_rows
from jaxemb.evaluation.gallery import Gallery

D = 5
GAPS = {
    "squared_euclidean": lambda x, y: ((x - y) ** 2).sum(),
    "euclidean": lambda x, y: np.sqrt(((x - y) ** 2).sum()),
    "cosine": lambda x, y: 1 - x @ y / np.sqrt((x @ x) * (y @ y)),
    "l1": lambda x, y: np.abs(x - y).sum(),
}


def people():
    """Individuals with one to four vectors each."""
    rng = np.random.default_rng(0)
    return {f"person {i}": rng.normal(size=(1 + i % 4, D)) for i in range(9)}


def filled(metric="squared_euclidean", threshold=np.inf):
    gallery = Gallery(width=D, threshold=threshold, metric=metric)
    for name, vectors in people().items():
        gallery.enroll(name, vectors)
    return gallery


def queries():
    return np.random.default_rng(1).normal(size=(13, D))


@pytest.mark.parametrize("metric", GAPS)
def test_the_nearest_vector_decides(metric, monkeypatch):
    monkeypatch.setattr(distance_rows, "_AT_A_TIME", 4 * 32)  # four queries at a time
    found = filled(metric).look_up(queries())
    for query, who in zip(queries(), found, strict=True):
        gaps = {
            name: min(GAPS[metric](query, vector) for vector in vectors)
            for name, vectors in people().items()
        }
        assert who.name == who.nearest == min(gaps, key=lambda name: gaps[name])
        assert who.distance == pytest.approx(gaps[who.nearest], rel=1e-4)


def test_beyond_the_threshold_is_unknown():
    distances = sorted(who.distance for who in filled().look_up(queries()))
    threshold = distances[6]
    found = filled(threshold=threshold).look_up(queries())
    assert sum(who.name is None for who in found) == 6
    for who in found:
        assert (who.name is None) == (who.distance > threshold)
        assert who.nearest in people()


def test_individuals_come_and_go():
    gallery = filled()
    newcomer = np.full((1, D), 40.0)
    assert gallery.look_up(newcomer)[0].name != "newcomer"
    gallery.enroll("newcomer", newcomer)
    assert gallery.look_up(newcomer)[0].name == "newcomer"
    assert gallery.names == [*people(), "newcomer"]
    gallery.remove("newcomer")
    assert gallery.look_up(newcomer)[0].name in people()
    gallery.enroll("newcomer", -newcomer)  # free again
    assert gallery.look_up(-newcomer)[0].distance == pytest.approx(0, abs=1e-2)
    for name in gallery.names:
        gallery.remove(name)
    with pytest.raises(InputError, match="the gallery is empty: enroll somebody before"):
        gallery.look_up(newcomer)


def test_of_equally_near_individuals_the_first_is_found():
    gallery = Gallery(width=2, threshold=1.0, metric="l1")
    for name in ("b", "a"):
        gallery.enroll(name, np.ones((2, 2)))
    assert gallery.look_up(np.ones((1, 2)))[0] == ("b", "b", 0.0)


@pytest.mark.parametrize("metric", GAPS)
def test_the_k_nearest_individuals_come_in_order(metric, monkeypatch):
    monkeypatch.setattr(distance_rows, "_AT_A_TIME", 4 * 32)  # four queries at a time
    gallery = filled(metric)
    found = gallery.nearest(queries(), 4)
    for query, near in zip(queries(), found, strict=True):
        gaps = {
            name: min(GAPS[metric](query, vector) for vector in vectors)
            for name, vectors in people().items()
        }
        assert [who.nearest for who in near] == sorted(gaps, key=lambda name: gaps[name])[:4]
        for who in near:
            assert who.distance == pytest.approx(gaps[who.nearest], rel=1e-4)
    # All of them, and those beyond the threshold without a name.
    threshold = found[0][1].distance
    everybody = filled(metric, threshold).nearest(queries()[:1], len(people()))[0]
    assert [who.name is None for who in everybody] == [False] * 2 + [True] * 7
    assert {who.nearest for who in everybody} == set(people())


@pytest.mark.parametrize("metric", GAPS)
@pytest.mark.parametrize("small", [0, 1e-30, 1e-8])
def test_a_query_of_nothing_is_nobody(metric, small):
    gallery = filled(metric)
    asked = queries()
    asked[[4, 7]] *= small
    with pytest.raises(InputError, match="queries: 2 of 13 rows are zero or nearly so, .* row 4"):
        gallery.look_up(asked)
    asked[[4, 7]] = 0.01 * queries()[[4, 7]]
    assert len(gallery.look_up(asked)) == 13


def test_somebody_may_be_zero_where_directions_don_t_count():
    for metric in GAPS:
        gallery = Gallery(width=2, threshold=np.inf, metric=metric)
        gallery.enroll("one", np.ones((1, 2)))
        if metric == "cosine":
            with pytest.raises(InputError, match="vectors of 'nil': 1 of 1 rows are zero"):
                gallery.enroll("nil", np.zeros((1, 2)))
        else:
            gallery.enroll("nil", np.zeros((1, 2)))
            assert gallery.look_up(np.zeros((1, 2)))[0].name == "nil"


@pytest.mark.parametrize("k", [0, 10])
def test_more_than_are_enrolled_are_refused(k):
    with pytest.raises(InputError, match=f"k must be from 1 to 9, the .* enrolled, found {k}"):
        filled().nearest(queries(), k)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda g: g.enroll("person 3", np.ones((1, D))), "'person 3' is enrolled already, with 4"),
        (lambda g: g.enroll("", np.ones((1, D))), "name must not be empty"),
        (lambda g: g.enroll("x", np.ones((1, D + 1))), "vectors of 'x' must be 5 wide, found 6"),
        (lambda g: g.enroll("x", np.ones((0, D))), "at least one, found float64 .0, 5."),
        (lambda g: g.enroll("x", np.full((2, D), np.nan)), "2 of 2 rows are not finite"),
        (lambda g: g.remove("nobody"), "'nobody' is not enrolled"),
        (lambda g: g.look_up(np.ones((2, D - 1))), "queries must be 5 wide, found 4. Are they"),
        (lambda g: g.look_up(np.ones(D)), "queries must be floats .rows, width., at least one"),
        (lambda g: g.look_up(np.ones((2, D), int)), "queries must be floats .* found int64"),
        (lambda g: g.look_up(np.full((2, D), np.inf)), "queries: 2 of 2 rows are not finite"),
        (lambda g: Gallery(width=D, threshold=np.nan), "the threshold must be a number"),
        (lambda g: Gallery(width=0, threshold=1), "the width must be at least 1, found 0"),
        (lambda g: Gallery(width=1, threshold=1, metric="l3"), "the metric must be one of .*'l3'"),
    ],
)
def test_wrong_input(act, message):
    with pytest.raises(InputError, match=message):
        act(filled())
