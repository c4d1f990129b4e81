"""Methods over the usual range of their fields: does each training end, finite and useful?

One field at a time departs from the defaults, and a few together, on real data. Every part takes at
most a quarter of an hour on two cores.
"""

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data import open_text
from jaxemb.data.files import default_data_dir
from jaxemb.data.sets import IMAGES
from jaxemb.errors import InputError
from jaxemb.evaluation.projection import knn_accuracy
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.evaluation.word_scores import evaluate
from jaxemb.factorize import pca
from jaxemb.losses.stress import raw_stress, sammon_stress
from jaxemb.methods import (
    autoencoder,
    classifier,
    glove,
    matching,
    mds,
    parametric_tsne,
    sammon,
)
from jaxemb.models.encoders import ConvEncoder, MlpEncoder
from jaxemb.projections.distance_matrix import distance_matrix
from jaxemb.projections.mds import classical

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .parts import Outcome

Part = Literal["glove", "mds", "sammon", "autoencoder", "parametric_tsne", "matching", "classifier"]
TITLE = "Defaults over the usual range"
PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy")
# Tenth, usual and tenfold learning rates of Adam.
RATES = (1e-4, 1e-3, 1e-2)
# Points of maps that look at all pairs.
MAPPED = 1000


@dataclasses.dataclass(frozen=True)
class Config:
    """Sweeps fields of the methods; the defaults reproduce the README's figures.

    Writes table.md, summary.json and parts/ to --out. Parts that are run again replace their own
    figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """Which methods."""
    n: int = 10_000
    """Images of MNIST and CIFAR-10 for networks."""
    iterations: int = 400
    """Steps of networks: far fewer than their defaults, for an explosion comes early."""
    epochs: int = 4
    """Passes of GloVe over its pairs."""
    max_vocab: int = 20_000
    """Words of GloVe, the most frequent ones."""
    seed: int = 0
    """Of all trainings."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/benchmarks/defaults")
    """Folder of the figures."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "n", at_least=100, at_most=60_000)
        for name in ("iterations", "epochs"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "max_vocab", at_least=100)


class Score(NamedTuple):
    """How good a result is.

    Attributes:
      name: of the score.
      value: the result's.
      plain: that of the plain way to do the same, or of the defaults.
      finite: whether all numbers of the result and all losses are.
    """

    name: str
    value: float
    plain: float
    finite: bool


class Case(NamedTuple):
    """One training.

    Attributes:
      data: its name.
      fields: that depart from the defaults.
      fit: trains and scores.
    """

    data: str
    fields: dict[str, Any]
    fit: Callable[[], Score]


def run(config: Config) -> None:
    """Sweeps the methods asked for and writes what it finds beside what is there."""
    command.use_cache()
    config.out.mkdir(parents=True, exist_ok=True)
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(sweep, part, partial(PARTS[part], config)) for part in config.parts
    }
    machine = processes.describe_machine(PACKAGES)
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def sweep(part: str, cases: Callable[[], Iterator[Case]]) -> Outcome:
    """Trains each case; what a method refuses is a row of its own."""
    figures: dict[str, float | None] = {}
    rows = []
    for case in cases():
        told = ", ".join(f"{name} {_told(value)}" for name, value in case.fields.items())
        told = told or "defaults"
        began = time.perf_counter()
        try:
            score = case.fit()
            ends = "yes" if score.finite else "NO"
            cells = [score.name, f"{score.value:.4g}", f"{score.plain:.4g}", ends]
            figures[f"{part}_{case.data}_{told}"] = score.value
        except InputError as error:
            cells = ["", "", "", f"REFUSED: {error}"]
            figures[f"{part}_{case.data}_{told}"] = None
        rows.append((case.data, told, *cells, f"{time.perf_counter() - began:.0f}"))
        processes.say(" | ".join(rows[-1]))
    header = ("data", "fields", "score", "result", "compared with", "finite", "seconds")
    return Outcome(figures, markdown(header, rows))


def _told(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _finite(*arrays: Any) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)


def sweep_glove(config: Config) -> Iterator[Case]:
    """Simple English Wikipedia; MEN, compared with that of the first row."""
    text = open_text("simplewiki", data_dir=config.data_dir, max_vocab=config.max_vocab)
    counts = glove.count(text)
    usual: list[float] = []

    def fit(**fields: Any) -> Score:
        options = glove.Options(epochs=config.epochs, **fields)
        fitted = glove.fit(config.seed, text, options, counts=counts)
        vectors = fitted.vectors.vectors
        scores = evaluate(fitted.vectors.words, jnp.asarray(vectors), config.data_dir).scores
        usual.append(scores["men"])
        return Score("MEN", scores["men"], usual[0], _finite(vectors, fitted.history.loss))

    grid: list[dict[str, Any]] = [{"x_max": x_max} for x_max in (100.0, 5.0, 10.0, 50.0, 200.0)]
    grid += [{"dim": dim} for dim in (25, 300, 600)]
    grid += [{"x_max": 5.0, "dim": 25}, {"x_max": 200.0, "dim": 25}]
    for fields in grid:
        yield Case("simplewiki", fields, partial(fit, **fields))


def sweep_mds(config: Config) -> Iterator[Case]:
    """Digits and faces; share of the squared distances lost, compared with classical scaling."""
    grid: list[dict[str, Any]] = [{"method": "smacof", "dim": dim} for dim in (1, 2, 3, 10)]
    grid += [{"method": "smacof", "initialization": "random"}]
    grid += [{"method": "gradient", "learning_rate": rate} for rate in (0.1, 1.0, 10.0)]
    grid += [{"method": "gradient", "momentum": momentum} for momentum in (0.0, 0.5, 0.99)]
    grid += [{"method": "gradient", "momentum": 0.99, "learning_rate": 10.0}]
    grid += [{"method": "sampled", "iterations": 1000, "subset": subset} for subset in (16, 256)]
    grid += [{"method": "sampled", "iterations": 1000, "dim": 10}]
    yield from _maps(config, grid, lambda **fields: (mds.fit, mds.Options(**fields)), True)


def sweep_sammon(config: Config) -> Iterator[Case]:
    """Digits and faces; Sammon's stress, compared with that of classical scaling."""
    grid: list[dict[str, Any]] = [{"magic_factor": factor} for factor in (0.035, 0.35, 3.5)]
    grid += [{"dim": dim} for dim in (1, 3, 10)]
    grid += [{"initialization": "random"}, {"initialization": "random", "magic_factor": 3.5}]
    yield from _maps(config, grid, lambda **fields: (sammon.fit, sammon.Options(**fields)), False)


def _maps(
    config: Config,
    grid: list[dict[str, Any]],
    choose: Callable[..., tuple[Callable[..., Any], Any]],
    raw: bool,
) -> Iterator[Case]:
    for data, size in (("mnist", MAPPED if raw else MAPPED // 2), ("faces", 400)):
        points, _ = _rows(config, data, size)
        wanted = distance_matrix(points)
        whole = float(np.square(wanted, dtype=np.float64).sum() / 2) if raw else 1.0

        def fit(
            points: np.ndarray = points,
            wanted: np.ndarray = wanted,
            whole: float = whole,
            **fields: Any,
        ) -> Score:
            method, options = choose(**fields)
            embedding = method(config.seed, points, options).embedding
            plain, _ = classical(wanted, dim=options.dim)
            stress = raw_stress if raw else sammon_stress
            value, before = (
                float(stress(jnp.asarray(at), jnp.asarray(wanted))) / whole
                for at in (embedding, plain)
            )
            name = "stress" if raw else "Sammon's stress"
            return Score(name, value, before, _finite(embedding))

        for fields in grid:
            yield Case(data, fields, partial(fit, **fields))


def sweep_autoencoder(config: Config) -> Iterator[Case]:
    """Images; share of the variance left unexplained, compared with PCA's of the same width."""
    grid: list[dict[str, Any]] = [{"learning_rate": rate} for rate in RATES]
    grid += [{"dim": 1}, {"dim": 32}, {"dim": 32, "learning_rate": 1e-2}]
    grid += [{"hidden": (2048,)}, {"hidden": (2048,), "learning_rate": 1e-2}]
    grid += [{"hidden": (16,)}, {"hidden": (512, 256, 128, 64), "learning_rate": 1e-2}]
    grid += [{"batch": 16}, {"noise": 1.0}]
    for data in ("mnist", "faces", "cifar10"):
        points, _ = _rows(config, data, config.n)
        spread = np.square(points - points.mean(axis=0), dtype=np.float64).sum()

        def fit(points: np.ndarray = points, spread: float = float(spread), **fields: Any) -> Score:
            options = autoencoder.Options(iterations=config.iterations, **fields)
            fitted = autoencoder.fit(config.seed, points, options)
            given_back = autoencoder.reconstruct(fitted.model, points)
            left = float(np.square(points - given_back, dtype=np.float64).sum() / spread)
            flat = pca.fit(jnp.asarray(points), components=options.dim)
            scores = pca.transform(flat, jnp.asarray(points))
            back = np.asarray(pca.inverse(flat, scores))
            plain = float(np.square(points - back, dtype=np.float64).sum() / spread)
            finite = _finite(given_back, fitted.history.loss)
            return Score("unexplained", left, plain, finite)

        # Wide layers on wide images take minutes.
        some = grid if data == "mnist" else grid[:3]
        for fields in some:
            yield Case(data, fields, partial(fit, **fields))


def sweep_parametric_tsne(config: Config) -> Iterator[Case]:
    """Images; 10-NN accuracy of the map, compared with that of two principal components."""
    grid: list[dict[str, Any]] = [{"learning_rate": rate} for rate in RATES]
    grid += [{"perplexity": 5.0}, {"perplexity": 100.0}, {"dim": 10}, {"batch": 64}]
    grid += [{"hidden": (2048,), "learning_rate": 1e-2}]
    grid += [{"reconstruction": 100.0, "learning_rate": 1e-2}]
    for data in ("mnist", "faces"):
        points, labels = _rows(config, data, config.n)
        flat = pca.fit(jnp.asarray(points), components=2)
        plain = knn_accuracy(np.asarray(pca.transform(flat, jnp.asarray(points))), labels, k=10)

        def fit(
            points: np.ndarray = points,
            labels: np.ndarray = labels,
            plain: float = plain,
            **fields: Any,
        ) -> Score:
            options = parametric_tsne.Options(iterations=config.iterations, **fields)
            fitted = parametric_tsne.fit(config.seed, points, options)
            places = parametric_tsne.encode(fitted.model, points)
            accuracy = knn_accuracy(places, labels, k=10)
            return Score("10-NN accuracy", accuracy, plain, _finite(places, fitted.history.loss))

        for fields in grid if data == "mnist" else grid[:3]:
            yield Case(data, fields, partial(fit, **fields))


def sweep_matching(config: Config) -> Iterator[Case]:
    """Images never seen; recall at 1, compared with that of pixels."""
    losses = {
        name: getattr(matching.losses, name)()
        for name in ("triplet", "supervised_contrastive", "arcface", "proxy_nca", "sigmoid_pairs")
    }
    for data in ("faces", "mnist"):
        points, labels = _rows(config, data, min(config.n, 2000))
        points /= 255
        seen = np.arange(len(points)) % 2 == 0
        plain = retrieval(points[~seen], labels[~seen], ks=(1,)).recall[1]

        def fit(
            points: np.ndarray = points,
            labels: np.ndarray = labels,
            seen: np.ndarray = seen,
            plain: float = plain,
            *,
            loss: str,
            **fields: Any,
        ) -> Score:
            options = matching.Options(iterations=config.iterations, identities=10, **fields)
            encoder = MlpEncoder(32)
            fitted = matching.fit(
                config.seed, encoder, losses[loss], points[seen], labels[seen], options
            )
            vectors = matching.encode(fitted.model, points[~seen])
            recall = retrieval(vectors, labels[~seen], ks=(1,)).recall[1]
            return Score("recall at 1", recall, plain, _finite(vectors, fitted.history.loss))

        for name in losses:
            for rate in RATES if data == "faces" or name == "triplet" else RATES[2:]:
                fields: dict[str, Any] = {"loss": name, "learning_rate": rate}
                yield Case(data, fields, partial(fit, **fields))


def sweep_classifier(config: Config) -> Iterator[Case]:
    """Images never seen; accuracy, compared with that of the nearest neighbor by pixels."""
    for data in ("mnist", "cifar10"):
        found = _images(config, data, min(config.n, 2000))
        images = found.images.reshape(*found.images.shape[:3], -1).astype(np.float32) / 255
        labels, seen = found.labels, np.arange(len(images)) % 2 == 0
        flat = images.reshape(len(images), -1)
        plain = retrieval(flat[~seen], labels[~seen], ks=(1,)).recall[1]

        def fit(
            images: np.ndarray = images,
            labels: np.ndarray = labels,
            seen: np.ndarray = seen,
            plain: float = plain,
            **fields: Any,
        ) -> Score:
            options = classifier.Options(iterations=config.iterations, **fields)
            encoder = ConvEncoder(32, (16, 32))
            fitted = classifier.fit(config.seed, encoder, images[seen], labels[seen], options)
            right = classifier.predict(fitted.model, images[~seen]) == labels[~seen]
            return Score("accuracy", float(right.mean()), plain, _finite(fitted.history.loss))

        grid: list[dict[str, Any]] = [{"learning_rate": rate} for rate in RATES]
        grid += [{"batch": 8, "learning_rate": 1e-2}, {"scale": 64.0, "learning_rate": 1e-2}]
        for fields in grid:
            yield Case(data, fields, partial(fit, **fields))


def _images(config: Config, data: str, most: int) -> Any:
    rng = np.random.default_rng(config.seed)
    return IMAGES[data](config.data_dir, lambda size: np.sort(rng.permutation(size)[:most]))


def _rows(config: Config, data: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    found = _images(config, data, most)
    return found.images.reshape(len(found.images), -1).astype(np.float32), found.labels


PARTS: dict[str, Callable[[Config], Iterator[Case]]] = {
    "glove": sweep_glove,
    "mds": sweep_mds,
    "sammon": sweep_sammon,
    "autoencoder": sweep_autoencoder,
    "parametric_tsne": sweep_parametric_tsne,
    "matching": sweep_matching,
    "classifier": sweep_classifier,
}

if __name__ == "__main__":
    sys.exit(command.main(Config, run))
