"""Writes a vectors file in another format: word2vec, GloVe, fastText, safetensors, NumPy ..."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import ReadOptions, glove_text


@dataclasses.dataclass(frozen=True)
class Config:
    """Writes word vectors in another format, told by the name of the file.

    .txt and .vec are word2vec's text (fastText's .vec is the same), .bin its binary, .safetensors,
    .npz and .npy are what they say, a name without an ending is a folder of TensorBoard's
    projector. All of these are read, whatever their names, GloVe's text and fastText's models as
    well, also from .gz, .xz, .bz2, .zst and .zip.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="IN")]
    """The file to read."""
    target: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """The file to write."""
    glove: bool = False
    """Write a .txt as GloVe's, which is without the line of counts."""
    unit: bool = False
    """Scale each vector to length 1."""
    most: int = 0
    """Keep this many first words, the most frequent ones in most files; 0 keeps all."""
    overwrite: bool = False
    """Replace a file that is there."""
    reading: ReadOptions = ReadOptions()


def run(config: Config) -> None:
    """Reads and writes."""
    if config.most < 0:
        raise InputError(f"most must be at least 0, found {config.most}")
    if config.glove and config.target.suffix != ".txt":
        raise InputError(f"glove needs a name that ends in .txt, found {config.target}")
    if config.target.exists() and not config.overwrite:
        raise InputError(f"{config.target} is there already; --overwrite replaces it")
    vectors = io.read(config.source, **dataclasses.asdict(config.reading))
    if config.most and config.most < len(vectors):
        vectors = vectors.subset(vectors.words[: config.most])
    if config.unit:
        vectors = vectors.unit()
    if config.glove:
        glove_text.write(config.target, vectors.words, vectors.vectors)
    else:
        io.write(config.target, vectors)
    rows, width = vectors.vectors.shape
    print(f"wrote {config.target}: {rows:,} words of width {width}")
