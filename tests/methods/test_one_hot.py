import numpy as np
import pytest

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.methods import one_hot

TEXT = data.from_tokens([["a", "motel", "is", "a", "hotel"]] * 5, min_count=1)


def test_no_two_words_are_alike():
    fitted = one_hot.fit(TEXT)
    assert fitted.words == ["a", "hotel", "is", "motel"]
    np.testing.assert_array_equal(one_hot.encode(fitted, fitted.words), np.eye(4))
    motel, hotel = one_hot.encode(fitted, ["motel", "hotel"])
    assert motel @ hotel == 0
    assert np.linalg.norm(motel - hotel) == pytest.approx(2**0.5)


def test_some_words_along_some_axes():
    found = one_hot.encode(one_hot.fit(TEXT), ["is", "a", "is"], axes=["is", "motel"])
    np.testing.assert_array_equal(found, [[1, 0], [0, 0], [1, 0]])
    assert found.dtype == np.float32
    # A word asked for twice has one axis.
    assert one_hot.encode(one_hot.fit(TEXT), ["is", "a", "is"]).shape == (3, 2)


def test_unknown_words_are_named():
    with pytest.raises(InputError, match="1 words are not among the vocabulary's 4: 'inn'"):
        one_hot.encode(one_hot.fit(TEXT, key=0), ["inn"])
