import gzip
import re
import struct

import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import load_facebook_model, save_facebook_model

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import fasttext_binary
from jaxemb.models import subword_table
from jaxemb.models.subword_table import SubwordTable, word_vectors


def _train(folder, **options):
    rng = np.random.default_rng(1)
    words = np.array(["straße", "日本語", "cat", "cats", "a", "🙂", "don't", "concatenate"])
    model = FastText(
        words[rng.integers(8, size=(200, 6))].tolist(),
        vector_size=7,
        min_count=1,
        epochs=1,
        workers=1,
        seed=3,
        **{"bucket": 50, **options},
    )
    path = folder / "model.bin"
    save_facebook_model(model, str(path))
    return model, path


@pytest.fixture(scope="module")
def model_and_path(tmp_path_factory):
    return _train(tmp_path_factory.mktemp("fasttext"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_n": 2, "max_n": 4, "bucket": 3, "sg": 1},
        {"hs": 1, "negative": 0},
        {"max_n": 0},
    ],
)
def test_vectors_are_gensims(tmp_path, options, monkeypatch):
    monkeypatch.setattr(subword_table, "AT_A_TIME", 3)
    model, path = _train(tmp_path, **options)
    found = io.read(path)
    words, vectors = found.words, found.vectors
    assert words == model.wv.index_to_key
    np.testing.assert_allclose(vectors, model.wv.vectors, rtol=1e-5, atol=1e-8)
    assert vectors.dtype == np.float32


def test_the_end_of_a_line_has_no_pieces(model_and_path, tmp_path):
    # fastText's own models have this word, Gensim's don't.
    model, path = model_and_path
    word = model.wv.index_to_key[0]
    data = path.read_bytes()
    changed = tmp_path / "model.bin"
    changed.write_bytes(data.replace(word.encode() + b"\0", b"</s>\0", 1))
    found = io.read(changed)
    words, vectors = found.words, found.vectors
    assert words[0] == "</s>"
    np.testing.assert_array_equal(vectors[0], model.wv.vectors_vocab[0])
    np.testing.assert_allclose(vectors[1:], model.wv.vectors[1:], rtol=1e-5, atol=1e-8)


def test_a_file_that_is_cut_or_longer_is_refused(model_and_path, tmp_path):
    _, path = model_and_path
    data = path.read_bytes()
    cut = tmp_path / "cut.bin"
    for size in [*range(4, len(data), 97), len(data) - 1]:
        cut.write_bytes(data[:size])
        with pytest.raises(InputError, match=re.escape(str(cut))):
            io.read(cut)
    cut.write_bytes(data + b"x")
    with pytest.raises(InputError, match="bytes by what its parts claim"):
        io.read(cut)


ARGUMENTS, DICTIONARY = 8, 8 + 12 * 4 + 8


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (4, struct.pack("<i", 11), "must be of version 12, found 11"),
        (ARGUMENTS, struct.pack("<i", -7), "claims 8 words and 0 labels .*, of width -7"),
        (ARGUMENTS, struct.pack("<i", 8), r"input matrix must be \[58, 8\]"),
        (DICTIONARY, struct.pack("<2i", 0, 0), "claims 0 words"),
        (DICTIONARY, struct.pack("<i", 9), "claims 8 words and 0 labels among 9 entries"),
        (DICTIONARY, struct.pack("<2i", 2**31 - 1, 2**31 - 1), "must be of type 0|ends before"),
        (DICTIONARY + 8, struct.pack("<i", 2), "claims 8 words and 2 labels among 8 entries"),
        (DICTIONARY + 4, struct.pack("<2i", 7, 1), "word 7: .* must be of type 0, a word, or 1"),
        (DICTIONARY + 20, struct.pack("<q", 5), "a pruned model"),
        (DICTIONARY + 28, b"\xff", "is not UTF-8"),
        (-8, struct.pack("<q", 2**60), "claim"),
    ],
)
def test_damage_is_named(model_and_path, tmp_path, offset, value, message):
    _, path = model_and_path
    data = bytearray(path.read_bytes())
    if offset < 0:  # the width of the output matrix
        offset = len(data) - 4 * 8 * 7 - 8
    data[offset : offset + len(value)] = value
    changed = tmp_path / "model.bin"
    changed.write_bytes(data)
    with pytest.raises(InputError, match=message):
        io.read(changed)


def classifier(path, model, *, labels=2, kind=3):
    """The model's file with labels behind its words, as a classifier's."""
    data = path.read_bytes()
    words = len(model.wv)
    ends = [data.find(word.encode() + b"\0") for word in model.wv.index_to_key]
    end = data.index(b"\0", max(ends)) + 1 + fasttext_binary.ENTRY.size
    entries = b"".join(b"__label__%d\0" % i + struct.pack("<qb", 9, 1) for i in range(labels))
    changed = bytearray(data[:end] + entries + data[end:])
    changed[ARGUMENTS + 7 * 4 : ARGUMENTS + 8 * 4] = struct.pack("<i", kind)
    changed[DICTIONARY : DICTIONARY + 12] = struct.pack("<3i", words + labels, words, labels)
    return bytes(changed)


@pytest.mark.parametrize(
    ("kind", "told"), [(2, "labels left out: 2"), (3, "a classifier's labels left out: 2")]
)
def test_labels_are_no_words(model_and_path, tmp_path, kind, told, caplog):
    model, path = model_and_path
    (tmp_path / "c.bin").write_bytes(classifier(path, model, kind=kind))
    found, plain = io.read(tmp_path / "c.bin"), io.read(path)
    assert found.words == plain.words
    np.testing.assert_array_equal(found.vectors, plain.vectors)
    np.testing.assert_array_equal(found["concatenated"], plain["concatenated"])
    assert caplog.messages == [f"{tmp_path / 'c.bin'}: {told}"]


def test_a_classifier_s_usual_lengths_are_no_n_grams(model_and_path, tmp_path):
    model, path = model_and_path
    data = bytearray(classifier(path, model))
    data[ARGUMENTS + 9 * 4 : ARGUMENTS + 11 * 4] = struct.pack("<2i", 0, 0)
    (tmp_path / "c.bin").write_bytes(data)
    found = io.read(tmp_path / "c.bin")
    np.testing.assert_array_equal(found.vectors, model.wv.vectors_vocab)
    assert "concatenated" not in found


def test_words_that_are_not_utf_8_can_be_left_out(model_and_path, tmp_path, caplog):
    model, path = model_and_path
    changed = tmp_path / "model.bin"
    changed.write_bytes(path.read_bytes().replace("straße".encode(), b"stra\xdfe!"))
    for options in ({"errors": "replace"}, {"encoding": "latin-1"}):
        with pytest.raises(InputError, match="can only be left out, with errors='skip'"):
            io.read(changed, **options)
    found = io.read(changed, errors="skip")
    assert found.words == [word for word in model.wv.index_to_key if word != "straße"]
    for word in ("cat", "catss"):
        np.testing.assert_allclose(found[word], model.wv[word], rtol=1e-5, atol=1e-8)
    assert caplog.messages == [f"{changed}: words left out that are not UTF-8: 1"]


def test_a_packed_model_still_composes_words(model_and_path, tmp_path):
    _, path = model_and_path
    (tmp_path / "model.bin.gz").write_bytes(gzip.compress(path.read_bytes()))
    found = io.read(tmp_path / "model.bin.gz")
    np.testing.assert_array_equal(found["concatenated"], io.read(path)["concatenated"])


def test_numbers_that_are_not_finite_and_quantized_models_are_refused(model_and_path, tmp_path):
    model, path = model_and_path
    data = bytearray(path.read_bytes())
    first = data.find(model.wv.vectors_vocab[0].tobytes())
    assert first > 0
    data[first : first + 4] = np.float32(np.nan).tobytes()
    changed = tmp_path / "model.bin"
    changed.write_bytes(data)
    with pytest.raises(InputError, match="must be finite"):
        io.read(changed)
    data[first : first + 4] = model.wv.vectors_vocab[0, :1].tobytes()
    last = data.find(model.wv.vectors_ngrams[-1].tobytes())
    data[last : last + 4] = np.float32(np.inf).tobytes()
    changed.write_bytes(data)
    with pytest.raises(InputError, match="buckets must be finite"):
        io.read(changed)
    data[first - 17] = 1
    changed.write_bytes(data)
    with pytest.raises(InputError, match="a quantized model"):
        io.read(changed)


def test_word2vec_s_own_binary_files_are_still_read(tmp_path):
    io.write(tmp_path / "v.bin", ["a"], np.ones((1, 2), np.float32))
    assert io.read(tmp_path / "v.bin").words == ["a"]


WORDS = ["straße", "cat", "日本語", "</s>"]
TRAINED = {"window": 4, "epochs": 3, "negatives": 6, "subsample": 0.5}
RNG = np.random.default_rng(7)
ROWS, OUTPUTS = (RNG.normal(size=(n, 5)).astype(np.float32) for n in (len(WORDS) + 9, 4))
COUNTS = np.array([7, 4, 4, 2])


@pytest.fixture
def write(tmp_path):
    def run(words=WORDS, rows=ROWS, outputs=OUTPUTS, counts=COUNTS, lengths=(2, 4)):
        path = tmp_path / "model.bin"
        table = SubwordTable(words, rows, *lengths)
        fasttext_binary.write_model(path, table, outputs, counts, model="skipgram", **TRAINED)
        return path

    return run


@pytest.mark.parametrize("lengths", [(2, 4), (3, 3), (3, 0)])
def test_what_is_written_is_read_back(write, lengths):
    words, rows, *found = fasttext_binary.read_model(write(lengths=lengths))
    assert (words, tuple(found)) == (WORDS, lengths)
    np.testing.assert_array_equal(rows, ROWS)
    assert io.read(write(lengths=lengths)).words == WORDS


def test_gensim_reads_what_is_written_and_trains_on(write):
    words, rows = WORDS[:3], ROWS[:-1]
    path = write(words, rows, OUTPUTS[:3], COUNTS[:3])
    model = load_facebook_model(str(path))
    assert model.wv.index_to_key == words
    assert [model.wv.get_vecattr(word, "count") for word in words] == [7, 4, 4]
    unknown = ["concatenate", "語", "Straßen"]
    ours = word_vectors(fasttext_binary.read_model(path), words + unknown)
    np.testing.assert_allclose(ours, model.wv[words + unknown], rtol=0, atol=1e-6)
    assert (model.sg, model.hs, model.window, model.negative, model.epochs) == (1, 0, 4, 6, 3)
    assert (model.sample, model.wv.min_n, model.wv.max_n, model.wv.bucket) == (0.5, 2, 4, 9)
    np.testing.assert_array_equal(model.syn1neg, OUTPUTS[:3])
    model.train([words] * 50, total_examples=50, epochs=1)
    assert not np.array_equal(model.syn1neg, OUTPUTS[:3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": ["two words", "b", "c", "d"]}, "row 0: word 'two words' holds white space"),
        ({"words": ["a", "b", "zero\0", "d"]}, "row 2: .* holds a zero"),
        ({"words": ["a", "b", "a", "d"]}, "already in row 0"),
        ({"rows": np.where(np.arange(13)[:, None] == 1, np.nan, ROWS)}, "row 1: .*'cat' is nan"),
        ({"rows": np.where(np.arange(13)[:, None] == 6, np.inf, ROWS)}, "buckets must be finite"),
        ({"outputs": OUTPUTS * np.float32(np.nan)}, "row 0: .* is nan"),
        ({"outputs": OUTPUTS[:, 1:]}, r"need \[4, 5\] .* found \[4, 4\]"),
        ({"counts": COUNTS[1:]}, r"\[4\] counts, found \[4, 5\] and \[3\]"),
        ({"counts": COUNTS[::-1]}, "counts must descend to 1 at least, found 2 to 7"),
        ({"counts": COUNTS - 2}, "counts must descend to 1 at least, found 0 to 5"),
    ],
)
def test_a_model_that_would_be_misread_is_not_written(write, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write(**changes)
    assert list(tmp_path.iterdir()) == []
