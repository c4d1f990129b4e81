"""Inference: new documents get vectors, words keep theirs, and neighbors don't matter."""

import dataclasses
import re

import numpy as np
import pytest

from jaxemb import data, io
from jaxemb.errors import InputError
from jaxemb.methods import paragraph_vectors
from jaxemb.methods.paragraph_vectors import Options, encode

RNG = np.random.default_rng(4)
# Documents of a few words that several have, of three to twenty-four.
DOCUMENTS = [
    [f"w{i}" for i in RNG.choice(200, size=3 + 7 * (n % 4), p=np.arange(200, 0, -1) / 20100)]
    for n in range(80)
]
# Once more than a group has words.
DOCUMENTS[11] = [f"w{i}" for i in RNG.integers(0, 20, 150)]
MODELS = ("dbow", "dbow_words", "dm")


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    text = data.from_tokens(DOCUMENTS, min_count=1)
    options = Options(model=request.param, dim=24, epochs=80, subsample=0.05, parts=1, window=3)
    return paragraph_vectors.fit(0, text, options)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_training_document_is_nearest_to_its_own_vector(fitted):
    found = encode(fitted, DOCUMENTS)
    assert found.shape == (80, 24)
    cosines = unit(found) @ unit(fitted.documents).T
    assert (cosines.argmax(axis=1) == np.arange(80)).mean() > 0.9


def test_words_keep_their_bits_and_a_seed_gives_the_same(fitted):
    before = fitted.vectors.vectors.copy(), fitted.params["output"].copy()
    found = encode(fitted, DOCUMENTS[:5])
    np.testing.assert_array_equal(fitted.vectors.vectors, before[0])
    np.testing.assert_array_equal(fitted.params["output"], before[1])
    np.testing.assert_array_equal(found, encode(fitted, DOCUMENTS[:5]))
    assert not np.array_equal(found, encode(fitted, DOCUMENTS[:5], key=1))
    assert not np.array_equal(found, encode(fitted, DOCUMENTS[:5], epochs=3))


def test_a_vector_is_the_same_whatever_stands_beside_it(fitted):
    found = encode(fitted, DOCUMENTS)
    for place in (0, 3, 11, 79):
        # Other shapes round otherwise.
        alone = encode(fitted, [DOCUMENTS[place]])[0]
        np.testing.assert_allclose(found[place], alone, rtol=1e-3, atol=1e-4)


def test_strings_are_split_as_text_is(fitted):
    asked = ["W1, w2 and w3!", "w4"]
    expected = encode(fitted, [["w1", "w2", "w3"], ["w4"]])
    np.testing.assert_array_equal(encode(fitted, asked), expected)
    with pytest.raises(InputError, match="documents have no word of the "):
        encode(fitted, ["W1 W2"], keep_case=True)
    np.testing.assert_array_equal(
        encode(fitted, ["w1-w2"], tokenizer=lambda text: text.split("-")),
        encode(fitted, [["w1", "w2"]]),
    )


def test_frequent_words_alone_are_not_subsampled_to_nothing(fitted):
    def of(subsample):
        options = dataclasses.replace(fitted.options, subsample=subsample)
        return encode(fitted._replace(options=options), ["w1 w2", "w0"])

    np.testing.assert_array_equal(of(1e-12), of(0.0))


def test_it_is_saved_and_loaded(fitted, tmp_path):
    io.save(tmp_path / "fit", fitted)
    loaded = io.load(tmp_path / "fit")
    np.testing.assert_array_equal(encode(loaded, ["w1 w2"]), encode(fitted, ["w1 w2"]))


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (["w1", "quite unknown", []], "2 of 3 documents have no word of the "),
        (["", "w1"], "the first is document 0, ''"),
        ("w1 w2", "documents must be a list, found one string; [string] is a list of one"),
        ([3], "document 0 must be a string or a list of words, found int"),
    ],
)
def test_bad_documents_are_refused(fitted, documents, message):
    with pytest.raises(InputError, match=re.escape(message)):
        encode(fitted, documents)


@pytest.mark.parametrize("epochs", [0, 1.5, True])
def test_bad_epochs_are_refused(fitted, epochs):
    with pytest.raises(InputError, match="epochs must be a whole number of at least 1"):
        encode(fitted, ["w1"], epochs=epochs)


def test_no_documents_have_no_vectors(fitted):
    assert encode(fitted, []).shape == (0, 24)
