import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.models.pretrained import start_from

IDS = {"red": 0, "blue": 1, "green": 2, "dog": 3}


def test_given_vectors_take_the_place_of_random_ones():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(4, 3)).astype(np.float32)
    before = table.copy()
    words, vectors = ["dog", "sun", "blue"], (9 * rng.normal(size=(3, 3))).astype(np.float32)
    found = start_from(table, IDS, words, vectors)
    factor = before.std() / vectors[[0, 2]].std()
    expected = [before[0], factor * vectors[2], before[2], factor * vectors[0]]
    np.testing.assert_allclose(found.table, expected, rtol=1e-5)
    assert found.table.dtype == np.float32
    assert found.known == 2
    np.testing.assert_array_equal(table, before)


def test_vectors_of_zeros_stay_finite():
    found = start_from(np.ones((4, 3), np.float32), IDS, ["dog"], np.zeros((1, 3), np.float32))
    np.testing.assert_array_equal(found.table[3], 0)


def test_vectors_that_do_not_fit_are_refused():
    table, vectors = np.ones((4, 3), np.float32), np.ones((2, 3), np.float32)
    with pytest.raises(InputError, match="are 2 wide, 3 are needed"):
        start_from(table, IDS, ["dog", "sun"], vectors[:, :2])
    with pytest.raises(InputError, match="none of the 2 words .* the 4 of the texts"):
        start_from(table, IDS, ["Dog", "sun"], vectors)
