"""Static sentence models: folders that model2vec and sentence-transformers (StaticEmbedding) load.

A text's vector is the mean of its words' vectors, each times its weight, in the end of length 1.

Example:
    import numpy as np
    from jaxemb.io import WordVectors
    from jaxemb.io.static_model import read_static_model, write_static_model

    words = WordVectors(["cat", "dog", "the"], np.eye(3, dtype=np.float32))
    write_static_model("model", words, weights=[1, 1, 0.1])
    model = read_static_model("model")  # needs `pip install 'jaxemb[text]'`
    print(model.encode(["The cat", "the dog"]).shape)
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses import distances

_logger = logging.getLogger("jaxemb")

# Letters with their marks, and digits, for Unicode's word boundaries (UAX #29): exact within ASCII
# and for most scripts; `jaxemb.data.tokenize` has all of the rules.
_LETTER, _DIGIT = r"\p{L}\p{M}", r"\p{Nd}"
_WORD = (
    rf"_*[{_LETTER}{_DIGIT}][{_LETTER}{_DIGIT}_]*"
    rf"(?:(?:(?<=[{_LETTER}])[:.'](?=[{_LETTER}])|(?<=[{_DIGIT}])[,;.'](?=[{_DIGIT}]))"
    rf"[{_LETTER}{_DIGIT}_]+)*"
)
_SPLITS: dict[str, dict[str, Any]] = {
    "words": {
        "type": "Split",
        "pattern": {"Regex": _WORD},
        "behavior": "Removed",
        "invert": True,
    },
    "whitespace": {"type": "WhitespaceSplit"},
}
# As model2vec and sentence-transformers write them.
_PLACES = (
    ("model.safetensors", "tokenizer.json"),
    ("0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json"),
)
_MOST_WORDS = 512  # of a text, where a folder doesn't say


class StaticModel(NamedTuple):
    """A static sentence model.

    Attributes:
      words: V words, or pieces of words, with the vectors that are averaged: weights are in them.
      normalize: whether vectors of texts are brought to length 1.
      tokenizer: a `tokenizers.Tokenizer`.
      unknown: the row that unknown words get, which is left out; None if there is none.
      max_length: words of a text that count; None for all.
    """

    words: WordVectors
    normalize: bool
    tokenizer: Any
    unknown: int | None = None
    max_length: int | None = None

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of texts, as model2vec does.

        Args:
          texts: N strings.

        Returns:
          [N, D] float32.

        Raises:
          InputError: if texts are one string, or one of them has no known word, which model2vec
            gives a vector of zeros.
        """
        if isinstance(texts, str):
            raise InputError("texts must be a list, found one string; [string] is a list of one")
        texts = list(texts)
        if self.max_length is not None:
            median = int(np.median([len(word) for word in self.words.words]))
            texts = [text[: self.max_length * median] for text in texts]
        found = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        rows = [[row for row in one.ids if row != self.unknown] for one in found]
        if lost := [place for place, some in enumerate(rows) if not some]:
            raise InputError(
                f"{len(lost):,} of {len(texts):,} texts have no word of the model's "
                f"{len(self.words):,}, so they have no vector; the first is text {lost[0]}, "
                f"{texts[lost[0]][:60]!r}. Leave them out"
            )
        table = self.words.vectors
        means = np.array([table[some].mean(axis=0) for some in rows], np.float32)
        means = means.reshape(len(rows), table.shape[1])
        return np.asarray(distances.unit(jnp.asarray(means))) if self.normalize else means


def write_static_model(
    folder: str | Path,
    words: WordVectors,
    weights: Sequence[float] | np.ndarray | None = None,
    *,
    normalize: bool = True,
    tokenizer: Literal["words", "whitespace"] = "words",
    keep_case: bool = False,
) -> None:
    """Writes a sentence model of word vectors as a folder that model2vec loads.

    sentence-transformers' StaticEmbedding loads it, too. It counts unknown words as zeros, so that
    vectors agree where they are normalized.

    Args:
      folder: is made if it is missing; other files in it stay.
      words: V words and their vectors.
      weights: [V] finite, of each word in the mean; None for 1. They go into the vectors, since
        sentence-transformers knows no others.
      normalize: bring vectors of texts to length 1.
      tokenizer: how texts become words: words (Unicode's word boundaries) or whitespace.
      keep_case: leave capital letters as they are.

    Raises:
      InputError: if words, vectors or weights are not so.
      OSError: if a file cannot be written.
    """
    folder = Path(folder)
    check(words.words, words.vectors, folder)
    if tokenizer not in _SPLITS:
        raise InputError(f"tokenizer must be {' or '.join(_SPLITS)}, found {tokenizer!r}")
    scale = np.ones(len(words), np.float32)
    if weights is not None:
        scale = np.asarray(weights, np.float32)
    if scale.shape != (len(words),) or not np.isfinite(scale).all():
        raise InputError(
            f"weights must be {len(words):,} finite numbers, one for each word, found an array of "
            f"shape {list(scale.shape)}"
        )
    capitals = [word for word in words if word != word.lower()]
    if capitals and not keep_case:
        _logger.warning(
            f"{len(capitals):,} words have capital letters, which text in lower case never has, "
            f"such as {capitals[0]!r}; keep_case leaves text as it is"
        )
    unknown = "[UNK]"
    while unknown in words.index:
        unknown = f"[{unknown}]"
    # Rows of unknown words are left out by model2vec and must be there for `tokenizers`.
    table = np.concatenate([words.vectors * scale[:, None], np.zeros_like(words.vectors[:1])])
    normalizers: list[dict[str, Any]] = [{"type": "NFC"}]
    if tokenizer == "words":
        normalizers.append({"type": "Replace", "pattern": {"String": "\u2019"}, "content": "'"})
    if not keep_case:
        normalizers.append({"type": "Lowercase"})
    vocabulary = words.index | {unknown: len(words)}
    modules = [("", "StaticEmbedding"), ("1_Normalize", "Normalize")][: 1 + normalize]
    files = {
        "tokenizer.json": {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": {"type": "Sequence", "normalizers": normalizers},
            "pre_tokenizer": _SPLITS[tokenizer],
            "post_processor": None,
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
        },
        "config.json": {
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "normalize": normalize,
            "max_length": None,
            "embedding_dtype": "float32",
        },
        "modules.json": [
            {
                "idx": i,
                "name": str(i),
                "path": path or ".",
                "type": f"sentence_transformers.models.{kind}",
            }
            for i, (path, kind) in enumerate(modules)
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    if normalize:
        # Nothing is in it; sentence-transformers looks for it.
        (folder / "1_Normalize").mkdir(exist_ok=True)
    with replacing(folder / "model.safetensors") as part:
        part.touch()
        mode = part.stat().st_mode
        try:
            save_file({"embeddings": np.ascontiguousarray(table)}, part)
        except SafetensorError as error:  # the content is right, so it is the disk
            raise OSError(f"{folder}: {error}") from error
        part.chmod(mode)  # save_file lets only the owner read
    for name, content in files.items():
        with replacing(folder / name) as part:
            part.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def read_static_model(folder: str | Path) -> StaticModel:
    """Reads a folder that model2vec, sentence-transformers or `write_static_model` wrote.

    Args:
      folder: of model.safetensors and tokenizer.json.

    Returns:
      The model. Vectors of float16 or int8, and those that words share, become float32 of their
      own.

    Raises:
      InputError: if a file is missing or damaged, or `tokenizers` isn't installed.
      OSError: if a file cannot be read.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise InputError(
            f"{folder}: needs the package tokenizers; pip install 'jaxemb[text]'"
        ) from error
    folder = Path(folder)
    found = [places for places in _PLACES if all((folder / name).is_file() for name in places)]
    if not found:
        raise InputError(
            f"{folder}: the folder of a static model must hold {' and '.join(_PLACES[0])}, as "
            "model2vec writes them"
        )
    tensors, text = (folder / name for name in found[0])
    try:
        tokenizer = tokenizers.Tokenizer.from_str(text.read_text(encoding="utf-8"))
        kind = json.loads(tokenizer.to_str())["model"]
    except OSError:
        raise
    except Exception as error:  # all that tokenizers raises
        raise InputError(f"{text}: is no file of tokenizers, or damaged: {error!s:.200}") from error
    normalize, max_length = _settings(folder)
    tokens = tokenizer.get_vocab()
    words = sorted(tokens, key=tokens.__getitem__)
    if [tokens[word] for word in words] != list(range(len(words))):
        raise InputError(f"{text}: tokens must be numbered 0 to {len(words) - 1:,}, without gaps")
    unknown = kind.get("unk_id")
    if "unk_token" in kind:
        unknown = None if kind["unk_token"] is None else tokens.get(kind["unk_token"])
    tokenizer.no_padding()
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length)
    return StaticModel(
        WordVectors(words, _vectors(tensors, len(words))),
        normalize,
        tokenizer,
        unknown,
        max_length,
    )


def _vectors(path: Path, count: int) -> np.ndarray:
    """Returns the vector of each token, times its weight."""
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"{path}: is no safetensors file, or damaged: {error!s:.200}; was its download "
            "interrupted?"
        ) from error
    name = next((name for name in ("embeddings", "embedding.weight") if name in tensors), None)
    if name is None or tensors[name].ndim != 2:
        raise InputError(
            f"{path}: must have a tensor 'embeddings' of two axes, found {sorted(tensors)[:10]}"
        )
    table = tensors[name].astype(np.float32)
    rows = tensors.get("mapping", np.arange(len(table)))
    weights = tensors.get("weights", np.ones(len(rows))).astype(np.float32)
    if (
        rows.shape != (count,)
        or weights.shape != (count,)
        or not 0 <= rows.min() <= rows.max() < (len(table))
    ):
        raise InputError(
            f"{path}: has {len(table):,} vectors, {len(rows):,} places and {len(weights):,} "
            f"weights for {count:,} tokens; does tokenizer.json belong to it?"
        )
    vectors = table[rows] * weights[:, None]
    if not np.isfinite(vectors).all():
        raise InputError(f"{path}: a vector is not finite")
    return vectors


def _settings(folder: Path) -> tuple[bool, int | None]:
    """Returns whether vectors are normalized, and how many words of a text count.

    Raises:
      InputError: if a file is damaged.
    """
    for name in ("config.json", "modules.json"):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if name == "config.json":
                return bool(content.get("normalize", False)), content.get("max_length", _MOST_WORDS)
            return any(module["type"].endswith(".Normalize") for module in content), None
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is damaged: {error!s:.200}") from error
    raise InputError(f"{folder}: must hold config.json, as of model2vec, or modules.json")
