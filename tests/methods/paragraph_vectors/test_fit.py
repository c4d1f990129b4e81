"""Training of paragraph vectors: the same bits by anybody's loop, options that count, bad text."""

import dataclasses
import functools
import re

import jax
import numpy as np
import pytest

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.methods import paragraph_vectors
from jaxemb.methods.paragraph_vectors import Options
from jaxemb.methods.word2vec.options import WindowOptions
from jaxemb.methods.word2vec.setup import CALL_STEPS
from jaxemb.training.run import Run

SMALL = Options(dim=4, epochs=1, subsample=0, groups=2, size=8, block=4, window=2, parts=1)
OTHERS = {"model": "dm", "document_means": 1.0, "cbow_mean": False, "damping": 0.25, "window": 3}
PART_OF = {"cbow_mean": {"model": "dm"}}
MODELS = ("dbow", "dbow_words", "dm")


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    return data.from_tokens([[f"w{i}" for i in rng.zipf(1.6, 20) % 30] for _ in range(20)])


@pytest.fixture(scope="module")
def fitted(text):
    """Trains once for all tests that ask for the same."""
    return functools.cache(lambda options: paragraph_vectors.fit(0, text, options))


def same(one, other):
    return np.array_equal(one.documents, other.documents) and all(
        np.array_equal(one.params[name], other.params[name]) for name in one.params
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_loop_of_ones_own_gives_the_same_bits(text, fitted, model):
    options = dataclasses.replace(SMALL, model=model)
    training = paragraph_vectors.start(0, text, options)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    found, expected = training.finish(state), fitted(options)
    assert same(found, expected)
    np.testing.assert_array_equal(found.vectors.vectors, expected.vectors.vectors)


def test_a_run_goes_on_from_a_checkpoint(text, fitted, tmp_path):
    class Stop(Exception):
        pass

    def report(done, metrics, seconds):
        # The first call's end is saved, the second one's isn't.
        if done > CALL_STEPS:
            raise Stop

    long = dataclasses.replace(SMALL, epochs=6)
    with pytest.raises(Stop):
        paragraph_vectors.fit(0, text, long, run=Run(tmp_path / "run", 0.0, report=report))
    found = paragraph_vectors.fit(0, text, long, run=Run(tmp_path / "run", 0.0))
    assert len(found.history.loss) == found.history.steps - CALL_STEPS
    assert same(found, fitted(long))


def test_what_comes_out(text, fitted):
    found = fitted(SMALL)
    assert found.documents.shape == (20, 4)
    assert found.vectors.words == text.vocabulary.words
    assert found.params["output"].shape == (len(text.vocabulary), 4)
    assert (found.lengths <= 20).all()
    assert found.lengths.sum() == text.vocabulary.counts.sum()
    assert found.words == 400


def test_without_words_they_stay_as_they_began(text, fitted):
    options = dataclasses.replace(SMALL, model="dbow")
    began = paragraph_vectors.start(0, text, options).state.params["input"]
    np.testing.assert_array_equal(fitted(options).vectors.vectors, began[: len(text.vocabulary)])


@pytest.mark.parametrize("name", OTHERS)
def test_its_options_change_the_result(fitted, name):
    options = dataclasses.replace(SMALL, **PART_OF.get(name, {}))
    assert getattr(options, name) != OTHERS[name]
    assert not same(fitted(options), fitted(dataclasses.replace(options, **{name: OTHERS[name]})))


def test_no_option_is_forgotten():
    """The rest are word2vec's, and tested there."""
    own = {field.name for field in dataclasses.fields(Options)}
    shared = {field.name for field in dataclasses.fields(WindowOptions)}
    assert own - shared == {"document_means"}


def test_documents_of_a_topic_are_near():
    rng = np.random.default_rng(1)
    topics = np.arange(120) % 3
    words = [[f"t{topic}w{i}" for i in rng.integers(0, 12, 12)] for topic in topics]
    text = data.from_tokens(words, min_count=1)
    for model in MODELS:
        options = Options(model=model, dim=8, epochs=40, subsample=0, parts=1)
        vectors = paragraph_vectors.fit(0, text, options).documents
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = unit @ unit.T - 2 * np.eye(120)
        assert (topics[cosines.argmax(axis=1)] == topics).mean() > 0.95, model


def test_empty_documents_keep_their_places_and_are_told(caplog):
    words = [["a", "b", "c"], [], ["b", "c", "a"], ["rare"], ["c", "b"]] * 30
    words[8] = ["once"]
    text = data.from_tokens(words, min_count=5)
    found = paragraph_vectors.fit(0, text, SMALL)
    assert (
        "31 of 150 documents have no word with a vector, and get zeros for theirs: 1, 6, 8, 11"
        in (caplog.text)
    )
    assert found.documents.shape == (150, 4)
    assert found.lengths[:9].tolist() == [3, 0, 3, 1, 2, 3, 0, 3, 0]
    np.testing.assert_array_equal(found.documents.any(axis=1), found.lengths > 0)


@pytest.mark.parametrize("words", [[["a", "b", "c"] * 20], [["a", "b"] * 20, [], []]])
def test_one_document_is_refused(words):
    text = data.from_tokens(words, min_count=1)
    with pytest.raises(InputError, match="the text is one document, at least two are needed"):
        paragraph_vectors.fit(0, text, SMALL)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "skipgram"}, "model must be 'dbow', 'dbow_words', 'dm', found 'skipgram'"),
        ({"document_means": 0.0}, "document_means must be more than 0"),
        ({"dim": 1}, "dim must be at least 2"),
    ],
)
def test_bad_options_are_refused(fields, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Options(**fields)
