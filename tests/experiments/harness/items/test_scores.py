import numpy as np
from jaxemb.experiments.harness.items import scores

from jaxemb import data
from jaxemb.evaluation.recommendation import hold_out

RNG = np.random.default_rng(2)
EVENTS = data.from_events(np.repeat(np.arange(30), 9), RNG.integers(20, size=270), np.arange(270))
HELD = hold_out(EVENTS)


def test_item_knn_adds_up_the_cosines_of_what_fades():
    known = HELD.known
    had = np.zeros((30, 20))
    had[known.users, known.items] = 1
    cosines = had.T @ had / np.sqrt(np.outer(had.sum(axis=0), had.sum(axis=0)))
    np.fill_diagonal(cosines, 0)
    expected = np.zeros(20)
    start, end = known.starts[3:5]
    for age, item in enumerate(known.items[start:end][::-1]):
        expected += 0.5**age * cosines[item]
    found = scores.baselines(4, 0)["item-kNN"](HELD)(0.5)(np.array([3]))
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


def test_svd_of_full_rank_gives_a_users_items_back():
    found = scores.baselines(20, 0)["SVD"](HELD)(0.5)(np.arange(30))
    np.testing.assert_allclose(found, scores.faded_by(HELD.known, 0.5).toarray(), atol=1e-4)


def test_the_decay_is_chosen_by_the_validation_alone():
    validation, test = hold_out(EVENTS, last=2), HELD

    def score_of(held):
        def faded_to(decay):
            good = (decay == 0.7) == (held is validation)
            table = np.zeros((30, 20))
            table[held.users, held.targets] = 1 if good else -1
            return lambda users: table[users]

        return faded_to

    found = scores.choose(score_of, (0.6, 0.7, 0.8), validation, test)
    assert (found.decay, found.validation_gains, found.hits.mean()) == (0.7, 1.0, 0.0)
    told = scores.figures("x", [found, found])
    assert told["x_hits"] == told["x_hits_of_seeds"] == 0.0
    assert scores.row("x", [found])[1] == "0.7"
