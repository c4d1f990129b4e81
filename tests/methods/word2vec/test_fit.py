"""Training of word2vec: the same bits by anybody's loop, options that count, errors."""

import dataclasses
import functools
import re

import jax
import numpy as np
import pytest

from jaxemb import data, io
from jaxemb.errors import InputError
from jaxemb.methods import word2vec
from jaxemb.methods.word2vec import Options
from jaxemb.methods.word2vec.objectives import OBJECTIVES
from jaxemb.methods.word2vec.options import choose
from jaxemb.methods.word2vec.setup import set_up
from jaxemb.training.run import Run

# Few words a step, so that there are some, and one part, which compiles in a third of the time.
SMALL = Options(dim=4, epochs=1, subsample=0, groups=2, size=8, block=4, window=2, parts=1)
# A value other than the default of each field, and the objective that it means something to.
OTHERS = {
    "dim": 5,
    "epochs": 2,
    "model": "cbow",
    "cbow_mean": False,
    "window": 3,
    "negatives": 3,
    "shared_noise": 7,
    "subsample": 1e-2,
    "noise_power": 0.5,
    "learning_rate": 0.01,
    "groups": 4,
    "size": 4,
    "block": 8,
    "dtype": "float32",
    "damping": 1.0,
    "most_means": 1.5,
    "objective": "nce",
    "optimizer": "adagrad",
}
SPEED_ALONE = {"parts": 2}
PART_OF = {"cbow_mean": {"model": "cbow"}}


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    return data.from_tokens([[f"w{i}" for i in rng.zipf(1.6, 20) % 30] for _ in range(20)])


@pytest.fixture(scope="module")
def fitted(text):
    """Trains once for all tests that ask for the same."""
    return functools.cache(lambda options, seed=0: word2vec.fit(seed, text, options))


def same(one, other):
    return all(
        a.shape == b.shape and (a == b).all()
        for a, b in zip(one.params.values(), other.params.values(), strict=True)
    )


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_loop_of_ones_own_gives_the_same_bits(text, fitted, model):
    options = dataclasses.replace(SMALL, model=model, parts=2)
    training = word2vec.start(jax.random.key(0), text, options)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    assert training.steps > 20
    assert same(training.finish(state), fitted(options))


def test_what_comes_out(text, fitted):
    found = fitted(SMALL)
    assert found.vectors.words == text.vocabulary.words
    np.testing.assert_array_equal(found.vectors.vectors, found.params["input"])
    np.testing.assert_array_equal(found.counts, text.vocabulary.counts)
    assert found.params["output"].shape == (len(text.vocabulary), 4)
    assert found.options is SMALL
    assert found.history.steps == len(found.history.loss) == 23
    assert found.history.stopped_because == "done"
    assert not same(found, fitted(SMALL, 1))


def test_it_is_saved_and_loaded(fitted, tmp_path):
    io.save(tmp_path / "fit", fitted(SMALL))
    found = io.load(tmp_path / "fit")
    assert type(found) is word2vec.Fitted
    assert found.options == SMALL
    assert same(found, fitted(SMALL))
    np.testing.assert_array_equal(found.vectors["w1"], fitted(SMALL).vectors["w1"])


@pytest.mark.parametrize("name", OTHERS)
def test_each_option_changes_the_result(fitted, name):
    options = dataclasses.replace(SMALL, **PART_OF.get(name, {}))
    assert getattr(options, name) != OTHERS[name]
    assert not same(fitted(options), fitted(dataclasses.replace(options, **{name: OTHERS[name]})))


@pytest.mark.parametrize("name", SPEED_ALONE)
def test_these_options_change_speed_alone(fitted, name):
    other = dataclasses.replace(SMALL, **{name: SPEED_ALONE[name]})
    assert same(fitted(SMALL), fitted(other))


@pytest.mark.parametrize(
    ("fields", "words", "parts"),
    [
        ({"epochs": 1}, 10**7, 8),
        ({"epochs": 3}, 400_000, 8),
        ({"epochs": 1}, 400_000, 1),
        ({"epochs": 1, "groups": 12}, 10**7, 4),
        ({"epochs": 1, "parts": 2}, 100, 2),
    ],
)
def test_a_long_training_has_parts(fields, words, parts):
    settings = choose(Options(**fields), OBJECTIVES["negative_sampling"], words)
    assert settings.parts == parts
    assert settings.groups % parts == 0


@pytest.mark.parametrize(("kept", "groups"), [(1e9, 16), (204_800, 16), (100_000, 7), (99, 1)])
def test_a_text_of_few_words_has_small_steps(kept, groups):
    """Steps of 1,024 words would leave the vectors near chance level, untold."""
    settings = choose(Options(), OBJECTIVES["negative_sampling"], 16_000, kept)
    assert settings.groups == groups
    assert settings.size == (64 if kept > 200 * 64 else 16)
    assert choose(Options(groups=8), OBJECTIVES["negative_sampling"], 16_000, kept).groups == 8


def test_so_few_steps_that_nothing_is_learned_are_told(caplog):
    text = data.from_tokens([["a", "b"], ["c", "d"]] * 50, min_count=1)
    set_up(0, text, Options(epochs=4), OBJECTIVES["negative_sampling"])
    assert "only 4 steps, in which vectors hardly leave chance level" in caplog.text
    caplog.clear()
    set_up(0, text, Options(epochs=9, subsample=0), OBJECTIVES["negative_sampling"])
    assert caplog.text == ""


def test_no_option_is_forgotten():
    fields = {field.name for field in dataclasses.fields(Options)}
    assert fields == OTHERS.keys() | SPEED_ALONE.keys()


def test_training_goes_on_from_tables(text, fitted):
    first = fitted(SMALL)
    again = word2vec.fit(1, text, SMALL, params=first.params)
    assert again.history.loss.mean() < first.history.loss.mean()
    assert not same(first, again)
    with pytest.raises(InputError, match=re.escape("params must be tables of shapes {'input': [")):
        word2vec.fit(1, text, dataclasses.replace(SMALL, dim=5), params=first.params)


def test_a_run_goes_on_from_a_checkpoint(text, fitted, tmp_path):
    class Stop(Exception):
        pass

    def report(done, metrics, seconds):
        raise Stop

    long = dataclasses.replace(SMALL, epochs=6)
    with pytest.raises(Stop):
        word2vec.fit(0, text, long, run=Run(tmp_path / "run", 0.0, report=report))
    found = word2vec.fit(0, text, long, run=Run(tmp_path / "run", 0.0))
    assert same(found, fitted(long))


def test_a_new_objective_needs_its_file_and_a_line(text, fitted, monkeypatch):
    """Whatever has the shape of the table's files is trained, named or not elsewhere."""

    monkeypatch.setitem(OBJECTIVES, "another", OBJECTIVES["nce"])
    options = dataclasses.replace(SMALL, objective="nce")
    expected = fitted(options)
    # The options' type lists the table's names when the module is imported.
    object.__setattr__(options, "objective", "another")
    assert same(word2vec.fit(0, text, options), expected)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dim": 1}, "dim must be at least 2"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"window": 101}, "window must be at least 1 and at most 100"),
        ({"learning_rate": float("nan")}, "learning_rate must be more than 0 and at most 10"),
        ({"objective": "softmax"}, "objective must be 'negative_sampling', 'nce'"),
        ({"model": "gpt"}, "model must be 'skipgram', 'cbow', found 'gpt'"),
        ({"dtype": "float16"}, "dtype must be 'float32', 'bfloat16' or None, found 'float16'"),
        ({"groups": 12, "parts": 8}, "groups must be a multiple of parts, 8, found 12"),
        ({"size": 40, "block": 16}, "size must be a multiple of block, 16, found 40"),
        ({"most_means": 0.0}, "most_means must be more than 0"),
        (
            {"objective": "full_softmax", "shared_noise": 3},
            "shared_noise means nothing to full_softmax, only to negative_sampling and nce and",
        ),
        (
            {"objective": "nce", "dtype": "bfloat16"},
            "dtype means nothing to nce, only to negative_sampling",
        ),
    ],
)
def test_bad_options_are_refused(fields, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Options(**fields)


def test_bad_data_are_refused(text):
    with pytest.raises(InputError, match=r"data must be a jaxemb.data.Text, found list"):
        word2vec.start(0, [["a", "b"]])
    with pytest.raises(InputError, match="key must be"):
        word2vec.start("seed", text)
    with pytest.raises(InputError, match=r"subsample = 1e-12 left none of 400 words"):
        word2vec.start(0, text, dataclasses.replace(SMALL, subsample=1e-12))
    with pytest.raises(InputError, match="block must divide the size of a group, 64, found 12"):
        word2vec.start(0, text, Options(block=12))
