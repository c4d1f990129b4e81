"""safetensors with two tensors: float32 `vectors`, and `words`, the bytes of a JSON list."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io.reading import Reading
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

# Not in the metadata: those share a header that is limited to 100 MB.
TYPES = {"vectors": ("F32", 2), "words": ("U8", 1)}


def read(reading: Reading) -> WordVectors:
    """Reads a file.

    Args:
      reading: The file, and what is forgiven.

    Raises:
      InputError: if it is no safetensors file, lacks a tensor, or one has another type.
      OSError: if the file cannot be read.
    """
    path = reading.path
    reading.source.open("rb").close()  # a missing file is an OSError; below, the content's fault
    try:
        with safe_open(reading.source, framework="numpy") as file:
            for name, allowed in TYPES.items():
                if name not in file.keys():  # noqa: SIM118, the file is no mapping
                    raise InputError(
                        f"{path}: has no tensor {name!r}, only {sorted(file.keys())[:10]}. Was it "
                        "written by jaxemb.io?"
                    )
                entry = file.get_slice(name)
                found = entry.get_dtype(), len(entry.get_shape())
                if found != allowed:
                    raise InputError(
                        f"{path}: tensor {name!r} must have type {allowed[0]} and {allowed[1]} "
                        f"axes, found {found[0]} and {found[1]}. Was it written by jaxemb.io?"
                    )
            words = json.loads(file.get_tensor("words").tobytes())
            vectors = file.get_tensor("vectors")
    except InputError:
        raise
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: cannot be read as safetensors with a JSON list of words: {error!s:.200}. Is "
            "it another format, or was its writing or download interrupted?"
        ) from error
    if not isinstance(words, list):
        raise InputError(
            f"{path}: tensor 'words' must hold a JSON list of strings, found a "
            f"{type(words).__name__}. Was it written by jaxemb.io?"
        )
    return WordVectors(*reading.settle(words, vectors))


def write(path: Path, words: Sequence[str], vectors: np.ndarray) -> None:
    """Writes a file; what stood there before stays until the new one is whole.

    Args:
      path: The file.
      words: [V] unique words; any Unicode.
      vectors: [V, D] finite float32; they are read back bit for bit.

    Raises:
      InputError: if words or vectors are not so.
      OSError: if the file cannot be written.
    """
    check(words, vectors, path)
    text = np.frombuffer(json.dumps(list(words), ensure_ascii=False).encode(), np.uint8)
    with replacing(path) as part:
        part.touch()
        mode = part.stat().st_mode
        try:
            save_file({"vectors": np.ascontiguousarray(vectors), "words": text}, part)
        except SafetensorError as error:  # the content is right, so it is the disk
            raise OSError(f"{path}: {error}") from error
        part.chmod(mode)  # save_file lets only the owner read
