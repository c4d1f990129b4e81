"""Applies a saved fit to new data: vectors of words, places in a map, classes."""

import dataclasses
import importlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from jaxemb import io
from jaxemb.atomic import replacing
from jaxemb.commands.picture_files import AT_A_TIME, encoder_of, list_files, read_for
from jaxemb.data.pictures import ENDINGS, read_pictures
from jaxemb.data.points import Columns, read_numbers
from jaxemb.data.table_text import Layout
from jaxemb.data.text_files import read_lines
from jaxemb.errors import InputError
from jaxemb.methods import sif

METHODS = "jaxemb.methods."


@dataclasses.dataclass(frozen=True)
class Config:
    """Applies a saved fit (of jaxemb.io.save), or the word vectors of a run, to new data.

    Word vectors tell the neighbors of a word, or write the vectors of all words of a file; words of
    two languages tell translations. Maps place new points, networks embed or classify new examples.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Where the fit is saved, or the folder of a run that made word vectors."""
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="INPUT")]
    """A word, or a .txt of words or sentences, one a line; for maps and networks a .npy or .csv, a
    row for each example, of the same numbers that it was trained on; for encoders of pictures a
    picture or a folder of them, in the order of their names."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """What is written. None takes predicted.vec for words, predicted.tsv for translations,
    predicted.npy for others."""
    count: int = 10
    """Neighbors of a word, or translations."""
    side: Literal["first", "second"] = "first"
    """Whose words are asked, or make the sentences, where a model has two languages."""
    columns: Columns = Columns()
    layout: Layout = Layout()


def run(config: Config) -> None:
    """Loads, applies and writes."""
    fitted = _load(config.folder)
    vectors = fitted if isinstance(fitted, io.WordVectors) else getattr(fitted, "vectors", None)
    if isinstance(vectors, io.WordVectors):
        _use_words(config, vectors)
        return
    # Methods may share a Fitted, but each has its own options.
    module = type(getattr(fitted, "options", fitted)).__module__
    name = module.removeprefix(METHODS).partition(".")[0]
    if not module.startswith(METHODS):
        raise InputError(f"{config.folder}: holds a {type(fitted).__name__}, which no method made")
    method = importlib.import_module(METHODS + name)
    source, rows = Path(config.source), ""
    if name == "bilingual":
        _translate(config, method, fitted)
        return
    if name in ("sentences", "sif"):
        # A row for each line, whatever stands there.
        found = sif.encode(getattr(fitted.model, config.side, fitted.model), _lines(source))
    elif source.is_dir() or source.suffix.lower() in ENDINGS:
        files, model = list_files([source]), getattr(fitted, "model", fitted)
        if source.is_dir():
            rows = f"; a row a picture, in order {files[0]} to {files[-1]}"
        if name in ("contrastive_images", "image_words"):
            images = read_pictures(files, side=model.side, color=model.color)
            found = method.encode(model, images)
        else:
            images = read_for(encoder_of(model, config.folder), files)
            known = method.predict if hasattr(method, "predict") else method.encode
            found = known(model, images, at_a_time=AT_A_TIME)
    else:
        values = read_numbers(source, columns=config.columns, layout=config.layout).values
        found = _apply(method, fitted, values, f"{config.folder}: {name}")
    path = config.out or Path("predicted.npy")
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, found, allow_pickle=False)
    print(f"wrote {path}: {found.dtype} {list(found.shape)}{rows}")


def _load(folder: Path) -> Any:
    if not (folder / io.STRUCTURE).exists():
        if (folder / io.RUN).exists():
            return io.read(folder)
        if (folder / "model" / io.STRUCTURE).exists():
            return io.load(folder / "model")
        if (folder / "config.json").exists():
            raise InputError(
                f"{folder}: is the folder of a run, which keeps what it made and no fit for new "
                f"data; in Python, jaxemb.io.save({str(folder / 'fit')!r}, fitted) keeps what a "
                "method's fit returned, and this command takes that folder"
            )
    return io.load(folder)


def _apply(method: Any, fitted: Any, values: np.ndarray, place: str) -> np.ndarray:
    if hasattr(fitted, "model"):
        known = method.predict if hasattr(method, "predict") else method.encode
        return np.asarray(known(fitted.model, values))
    if not hasattr(fitted, "embedding") or not hasattr(method, "transform"):
        raise InputError(f"{place} places no new points; tsne, parametric_tsne and pca do")
    return np.asarray(method.transform(fitted, values))


def _use_words(config: Config, vectors: io.WordVectors) -> None:
    if not config.source.endswith(".txt"):
        for word, cosine in vectors.nearest(config.source, config.count):
            print(f"{word}  {cosine:.4f}")
        return
    words = list(dict.fromkeys(filter(None, _lines(Path(config.source)))))
    path = config.out or Path("predicted.vec")
    io.write(path, vectors.subset(words))
    print(f"wrote {path}: {len(words):,} words")


def _translate(config: Config, method: Any, fitted: Any) -> None:
    of_file = config.source.endswith(".txt")
    words = list(filter(None, _lines(Path(config.source)))) if of_file else [config.source]
    sides = {"first": fitted.first, "second": fitted.second}
    here = sides.pop(config.side)
    ((other, there),) = sides.items()
    if not of_file and config.source not in here and config.source in there:
        raise InputError(f"{config.source!r} is a word of the {other} language: add --side {other}")
    count = min(config.count, len(there))
    found = method.translate(fitted, words, k=count, back=config.side == "second")
    if not of_file:
        for word, score in found[0]:
            print(f"{word}  {score:.4f}")
        return
    path = config.out or Path("predicted.tsv")
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        for word, best in zip(words, found, strict=True):
            file.writelines(f"{word}\t{other}\t{score:.4f}\n" for other, score in best)
    print(f"wrote {path}: {len(words):,} words")


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in read_lines(path)]
    while lines and not lines[-1]:
        lines.pop()
    return lines
