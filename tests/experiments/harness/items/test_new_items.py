import numpy as np
from jaxemb.experiments.harness.items import new_items

from jaxemb import data, items
from jaxemb.data.item_titles import Titles
from jaxemb.training.run import Run


def test_the_area_is_the_share_of_pairs_in_order():
    events = data.from_events([1, 1, 2, 3], ["a", "b", "b", "c"])
    assert events.item_names == ["b", "a", "c"]
    scores = np.array([[1, 3, 2], [2, 2, 1], [0, 0, 1.0]])
    # The first user had two of three, nearer in one of two pairs; the second has one tie.
    found = new_items.mean_area(scores, events, np.array([0, 1, 2]))
    np.testing.assert_allclose(found, np.mean([0.5, 0.75, 1.0]))


def test_columns_of_features_are_in_order():
    titles = Titles(["One (1994)", "Two", "Three (1999)"], [("A", "B"), ("B",), ()])
    assert new_items.features_of(titles).tolist() == [[1, 1, 1], [0, 0, 1], [1, 0, 0]]


def test_new_items_of_a_kind_are_placed_near_its_users():
    rng = np.random.default_rng(1)
    users = np.repeat(np.arange(120), 12)
    kinds = users % 4
    films = 40 * kinds + rng.integers(40, size=len(users))
    events = data.from_events(users, films, rng.random(len(users)))
    titles = Titles(events.item_names, [(f"k{int(film) // 40}",) for film in events.item_names])
    found = new_items.score(0, events, titles, items.Options(dim=8), Run(), decays=(0.5, 1.0))
    # Of a kind, items that a user had and had not tie.
    assert found.area > 0.85
    np.testing.assert_allclose(found.area, found.of_kinds, atol=0.02)
    assert 0.4 < found.of_counts < 0.6
    assert 5 <= found.items <= 16
    towers = items.Options(method="two_towers", dim=8, batch=256, min_count=1, learning_rate=0.03)
    found = new_items.score(0, events, titles, towers, Run(), decays=(0.5, 1.0))
    assert found.penalty is None
    np.testing.assert_allclose(found.area, found.of_kinds, atol=0.02)
    few = events.at(np.arange(len(users)) < 100)
    assert new_items.score(0, few, titles, items.Options(dim=8), Run(), decays=(1.0,)) is None
