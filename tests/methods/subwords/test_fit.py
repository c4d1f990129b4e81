"""Training of subwords: the same bits by anybody's loop, options that count."""

import dataclasses
import functools
import re

import jax
import numpy as np
import pytest

from jaxemb import data, io
from jaxemb.errors import InputError
from jaxemb.methods import subwords
from jaxemb.methods.subwords import Options
from jaxemb.methods.word2vec.options import WindowOptions

SMALL = Options(
    dim=4, epochs=1, subsample=0, groups=2, size=8, block=4, window=2, parts=1, buckets=200
)
OTHERS = {"shortest": 2, "longest": 4, "buckets": 100, "damping": 0.25}


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    return data.from_tokens([[f"word{i}" for i in rng.zipf(1.6, 20) % 30] for _ in range(20)])


@pytest.fixture(scope="module")
def fitted(text):
    """Trains once for all tests that ask for the same."""
    return functools.cache(lambda options: subwords.fit(0, text, options))


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_loop_of_ones_own_gives_the_same_bits(text, fitted, model):
    options = dataclasses.replace(SMALL, model=model)
    training = subwords.start(0, text, options)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    found, expected = training.finish(state), fitted(options)
    for name, table in expected.params.items():
        np.testing.assert_array_equal(found.params[name], table)


def test_what_comes_out(text, fitted):
    found = fitted(SMALL)
    assert found.vectors.words == text.vocabulary.words
    assert "wordy" in found.vectors
    assert found.vectors["wordy"].shape == (4,)
    assert found.table.rows.shape == (len(text.vocabulary) + 200, 4)
    assert len(text.vocabulary) < len(found.params["input"]) < len(found.table.rows)
    assert found.largest > 5
    assert found.history.steps == 23


def test_it_is_saved_and_loaded(fitted, tmp_path):
    io.save(tmp_path / "fit", fitted(SMALL))
    found = io.load(tmp_path / "fit")
    assert type(found) is subwords.Fitted
    assert found.options == SMALL
    np.testing.assert_array_equal(found.vectors["wordy"], fitted(SMALL).vectors["wordy"])


@pytest.mark.parametrize("name", OTHERS)
def test_its_options_change_the_result(fitted, name):
    other = fitted(dataclasses.replace(SMALL, **{name: OTHERS[name]}))
    assert not np.array_equal(fitted(SMALL).vectors.vectors, other.vectors.vectors)


def test_no_option_is_forgotten():
    """The rest are word2vec's, and tested there."""
    own = {field.name for field in dataclasses.fields(Options)}
    shared = {field.name for field in dataclasses.fields(WindowOptions)}
    assert own - shared == OTHERS.keys() - {"damping"}


def test_training_goes_on_from_tables(text, fitted):
    first = fitted(SMALL)
    again = subwords.fit(1, text, SMALL, params=first.params)
    assert again.history.loss.mean() < first.history.loss.mean()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"longest": 2}, "longest must be at least shortest, 3, found 2; word2vec trains"),
        ({"shortest": 0}, "shortest must be at least 1"),
        ({"buckets": 0}, "buckets must be at least 1"),
        ({"dim": 1}, "dim must be at least 2"),
    ],
)
def test_bad_options_are_refused(fields, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Options(**fields)
