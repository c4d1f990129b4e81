"""Static sentence models: model2vec loads what we write, and we read what it writes."""

import json
import re

import numpy as np
import pytest
import tokenizers
from model2vec import StaticModel as Peer
from safetensors.numpy import save_file

from jaxemb.data.tokenize import words as split
from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.io.static_model import read_static_model, write_static_model

RNG = np.random.default_rng(6)
TEXTS = [
    "The cat sat, the dog's bone didn't move.",
    "U.S. prices rose 3.14% in 1,000 days; naïve Straße",
    "New_York CAFÉ cafe\N{COMBINING ACUTE ACCENT} don\N{RIGHT SINGLE QUOTATION MARK}t unknownword",
    "кошка и собака",
]
WORDS = sorted({word for text in TEXTS for word in split(text)} - {"unknownword"}) + ["[UNK]"]
TABLE = WordVectors(WORDS, RNG.normal(size=(len(WORDS), 5)).astype(np.float32))
WEIGHTS = RNG.uniform(0.1, 2, len(WORDS)).astype(np.float32)


def expected(texts, weights=WEIGHTS, *, normalize=True, splits=split):
    """The weighted mean, in float64."""
    scaled = TABLE.vectors.astype(np.float64) * weights[:, None]
    known = [[TABLE.index[word] for word in splits(text) if word in TABLE.index] for text in texts]
    means = np.array([scaled[rows].mean(axis=0) for rows in known])
    return means / np.linalg.norm(means, axis=1, keepdims=True) if normalize else means


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_model2vec_gives_the_same_vectors(tmp_path, weights, normalize):
    write_static_model(tmp_path / "model", TABLE, weights, normalize=normalize)
    wanted = expected(
        TEXTS, np.ones(len(WORDS)) if weights is None else weights, normalize=normalize
    )
    model = read_static_model(tmp_path / "model")
    assert model.words.words[:-1] == WORDS
    assert model.words.words[-1] == "[[UNK]]"
    peer = Peer.from_pretrained(tmp_path / "model")
    for found in (model.encode(TEXTS), peer.encode(TEXTS)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_texts_of_any_length_are_read_to_their_end(tmp_path):
    write_static_model(tmp_path, TABLE, WEIGHTS)
    text = "cat " * 2000 + "dog's " * 3000
    np.testing.assert_allclose(
        Peer.from_pretrained(tmp_path).encode([text]), expected([text]), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        read_static_model(tmp_path).encode([text]), expected([text]), rtol=1e-4, atol=1e-5
    )


def test_text_by_white_space_with_its_case(tmp_path):
    words = WordVectors(["Cat", "cat,", "dog"], np.eye(3, dtype=np.float32))
    write_static_model(tmp_path, words, tokenizer="whitespace", keep_case=True, normalize=False)
    wanted = [[0.5, 0.5, 0], [0, 0, 1]]
    for model in (read_static_model(tmp_path), Peer.from_pretrained(tmp_path)):
        np.testing.assert_array_equal(model.encode(["Cat cat, Dog", "dog cat"]), wanted)


def test_sentence_transformers_finds_what_it_looks_for(tmp_path):
    """It reads modules.json, tokenizer.json and the tensor; unknown words are zeros to it."""
    write_static_model(tmp_path, TABLE, WEIGHTS)
    modules = json.loads((tmp_path / "modules.json").read_text())
    assert [module["type"].rpartition(".")[2] for module in modules] == [
        "StaticEmbedding",
        "Normalize",
    ]
    assert all((tmp_path / module["path"]).is_dir() for module in modules)
    model = read_static_model(tmp_path)
    rows = [one.ids for one in model.tokenizer.encode_batch(TEXTS, add_special_tokens=False)]
    assert model.unknown in rows[2]
    means = np.array([model.words.vectors[some].mean(axis=0) for some in rows])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, expected(TEXTS), rtol=1e-5, atol=1e-6)


def pieces():
    """A tokenizer of word pieces, as published models have."""
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "play": 2, "##ing": 3, "##ed": 4, "the": 5, "a": 6}
    found = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    found.normalizer = tokenizers.normalizers.BertNormalizer()
    found.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    found.enable_padding(pad_id=0, pad_token="[PAD]")
    return found


ASKED = ["the playing played", "a a the zebra", "Played!"]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("normalize", [True, False])
def test_folders_of_model2vec_are_read(tmp_path, dtype, normalize):
    vectors = (RNG.normal(size=(7, 5)) * 20).astype(dtype)
    Peer(vectors, pieces(), normalize=normalize).save_pretrained(tmp_path)
    found = read_static_model(tmp_path).encode(ASKED)
    wanted = Peer.from_pretrained(tmp_path).encode(ASKED)
    # theirs are rounded to the dtype
    np.testing.assert_allclose(found, wanted, rtol=2e-3 if dtype == np.float16 else 1e-5, atol=1e-3)


def test_folders_with_shared_vectors_weights_and_short_texts_are_read(tmp_path):
    Peer(
        RNG.normal(size=(3, 5)).astype(np.float32),
        pieces(),
        weights=RNG.uniform(size=7),
        token_mapping=np.array([0, 1, 2, 0, 1, 2, 0]),
        max_length=2,
    ).save_pretrained(tmp_path)
    model = read_static_model(tmp_path)
    assert model.max_length == 2
    wanted = Peer.from_pretrained(tmp_path).encode(ASKED)
    np.testing.assert_allclose(model.encode(ASKED), wanted, rtol=1e-5, atol=1e-6)


def test_folders_of_sentence_transformers_are_read(tmp_path):
    inner = tmp_path / "0_StaticEmbedding"
    inner.mkdir()
    vectors = RNG.normal(size=(7, 5)).astype(np.float32)
    save_file({"embedding.weight": vectors}, inner / "model.safetensors")
    pieces().save(str(inner / "tokenizer.json"))
    module = {"type": "sentence_transformers.models.StaticEmbedding", "path": "0_StaticEmbedding"}
    (tmp_path / "modules.json").write_text(json.dumps([module]))
    np.testing.assert_allclose(
        read_static_model(tmp_path).encode(["the playing"]),
        [vectors[[5, 2, 3]].mean(axis=0)],
        rtol=1e-6,
    )


def test_texts_without_known_words_are_refused(tmp_path):
    write_static_model(tmp_path, TABLE)
    model = read_static_model(tmp_path)
    message = "2 of 3 texts have no word of the model's "
    with pytest.raises(
        InputError, match=re.escape(message) + ".*the first is text 1, 'zebras fly'"
    ):
        model.encode(["the cat", "zebras fly", ""])
    with pytest.raises(InputError, match="texts must be a list, found one string"):
        model.encode("the cat")
    assert model.encode([]).shape == (0, 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": [1.0]}, "weights must be "),
        ({"weights": np.full(len(WORDS), np.nan)}, "finite numbers, one for each word"),
        ({"tokenizer": "bert"}, "tokenizer must be words or whitespace, found 'bert'"),
    ],
)
def test_bad_models_are_not_written(tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        write_static_model(tmp_path / "model", TABLE, **given)
    assert not (tmp_path / "model").exists()


def test_words_that_lower_case_text_never_has_are_told(tmp_path, caplog):
    write_static_model(tmp_path, WordVectors(["Cat", "dog"], np.eye(2, dtype=np.float32)))
    assert "1 words have capital letters" in caplog.text


def damage(folder, name, content):
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", b"{", "tokenizer.json: is no file of tokenizers, or damaged"),
        ("tokenizer.json", b"\xff", "tokenizer.json: is no file of tokenizers, or damaged"),
        ("model.safetensors", b"short", "model.safetensors: is no safetensors file, or damaged"),
        ("config.json", b"[]", "config.json: is damaged"),
        ("config.json", b"{", "config.json: is damaged"),
    ],
)
def test_damaged_folders_are_refused(tmp_path, name, content, message):
    write_static_model(tmp_path, TABLE)
    damage(tmp_path, name, content)
    with pytest.raises(InputError, match=re.escape(message)):
        read_static_model(tmp_path)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="must hold model.safetensors and tokenizer.json"):
        read_static_model(tmp_path)
    write_static_model(tmp_path, TABLE)
    save_file({"other": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="must have a tensor 'embeddings' of two axes"):
        read_static_model(tmp_path)
    save_file({"embeddings": np.zeros((2, 2), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="does tokenizer.json belong to it"):
        read_static_model(tmp_path)
