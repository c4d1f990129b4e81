"""Similar images: deep ranking beside a classifier's last layer.

    python -m experiments.similar_images

Two busy cores of an AMD EPYC, 10.5 minutes: mAP by deep ranking 0.281, by a classifier 0.332.
"""

import dataclasses
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.images import LabeledImages
from jaxemb.data.sets import cifar10
from jaxemb.errors import InputError
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.losses.softmax_classifier import softmax_classifier_loss
from jaxemb.losses.terms import Terms
from jaxemb.losses.triplet import mined_triplets_loss
from jaxemb.methods import matching
from jaxemb.models import output_layer
from jaxemb.models.descriptors import color_cells, edge_cells
from jaxemb.models.encoders import ResidualEncoder
from jaxemb.projections.neighbors import nearest_neighbors
from jaxemb.sampling.augment import flip, shift_crop
from jaxemb.sampling.balanced import BalancedBatches
from jaxemb.sampling.weighted_triplets import relevance_weighted_triplets
from jaxemb.training import network

from .harness import command, run_folder
from .harness.matching import training as harness
from .harness.matching.pictures import draw_neighbors

# The line of the table in README.md, of entries of summary.json.
FIGURE = "mAP by deep ranking {ranking_map:.3f}, by a classifier {classifier_map:.3f}"

# Of CIFAR-10's images the first are for training: 50,000 of 60,000.
TRAIN_SIXTHS = 5
# Test images among which triplets of one class are drawn, and how many of these.
JUDGED, TRIPLETS = 1000, 10_000
# Queries of the picture, one of each of some classes.
QUERIES = 6
TITLES = {
    "pixels": "pixels",
    "descriptors": "colors and edges",
    "classifier": "classifier",
    "ranking": "deep ranking",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains one encoder twice, as a classifier and by deep ranking, with the same budget.

    Deep ranking (Wang et al. 2014) learns from triplets: of one class, the more relevant image is
    to be nearer than the less relevant; and both nearer than images of other classes. Relevance
    within a class is by colors and edges: exp(-d), where d is the squared distance of two images'
    color_cells and edge_cells as a share of its mean. Judged on CIFAR-10's test images. Writes
    neighbors.png, summary.json and, in a folder for each training, metrics.jsonl and checkpoints/
    to --out. The same command again goes on where it was stopped.
    """

    features: tuple[int, ...] = (16, 32, 64)
    """Channels of the residual blocks."""
    dim: int = 128
    """Width of the embedding."""
    triplets: int = 1024
    """Of each batch: deep ranking."""
    margin: float = 0.5
    """Of deep ranking, in squared distance of vectors of length 1."""
    relevance_margin: float = 0.1
    """How much less relevant the negative of a class must be, in [0, 1]."""
    most_relevant: float = 0.8
    """More relevant pairs weigh no more than such a one when triplets are drawn."""
    out_of_class: float = 0.8
    """Share of triplets whose negative is of another class."""
    padding: int = 4
    """Pixels that a training image may be moved by."""
    scale: float = 16.0
    """Factor of the classifier's products, for a confident softmax of vectors of length 1."""
    n: int = 0
    """Training images used, the first; 0 for all."""
    options: matching.Options = matching.Options(
        iterations=1500, identities=10, samples=13, learning_rate=2e-3, weight_decay=0.05
    )
    common: command.Common = command.Common(out=Path("runs/similar_images"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("triplets", "dim"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "margin", at_least=0, at_most=4)
        for name in ("relevance_margin", "out_of_class"):
            checks.check_field(self, name, at_least=0, at_most=1)
        checks.check_field(self, "most_relevant", above=0, at_most=1)
        checks.check_field(self, "padding", at_least=0, at_most=16)
        checks.check_field(self, "scale", above=0, at_most=1e6)
        checks.check_field(self, "n", at_least=0)
        harness.check_features(self.features)


# What the test of this script runs.
SMOKE = Config(
    features=(8,),
    dim=8,
    triplets=64,
    options=matching.Options(
        iterations=30, identities=3, samples=6, learning_rate=0.01, weight_decay=0.05, parts=1
    ),
)


class Data(NamedTuple):
    """Images, and what is known of each without training."""

    images: np.ndarray  # [N, 32, 32, 3] uint8
    labels: np.ndarray  # [N] int32
    descriptors: np.ndarray  # [N, 176] float32, squared distances with mean 1


def run(config: Config) -> None:
    """Reads, trains twice, judges and draws."""
    command.use_cache()
    found = cifar10.read(config.common.data_dir, lambda size: choose(config, size))
    train, test = split(config, found)
    drawn = BalancedBatches(
        harness.keys(config, 3)[1],
        train.labels,
        identities=config.options.identities,
        samples=config.options.samples,
    )
    if not harness.open_run(config, list(found.files)):
        return
    print(f"{len(train.labels):,} training images, {len(test.labels):,} to judge")
    module = ResidualEncoder(config.dim, features=config.features)
    vectors = {
        "pixels": test.images.reshape(len(test.images), -1).astype(np.float32) / 255,
        "descriptors": test.descriptors,
    }
    figures: dict[str, object] = {}
    for name in ("classifier", "ranking"):
        fitted = fit(config, module, train, drawn, name)
        variables = fitted.model.variables
        apply = jax.jit(lambda images, v=variables: module.apply(v, scaled(images)))
        vectors[name] = network.in_blocks(apply, test.images, at_a_time=500)
        figures[f"{name}_seconds"] = fitted.history.seconds
    figures |= evaluate(config, vectors, test, found.classes)
    draw_neighbors(
        config.common.out / "neighbors.png",
        test.images,
        test.labels,
        {TITLES[name]: rows for name, rows in vectors.items() if name != "descriptors"},
        np.unique(test.labels, return_index=True)[1][:QUERIES],
        title="Test images of CIFAR-10 and those nearest to them",
    )
    run_folder.finish(config.common.out, figures)


def choose(config: Config, size: int) -> np.ndarray:
    """Returns the rows used: of the training images the first --n, and all those for the test.

    Raises:
      InputError: if there are not so many.
    """
    train = size * TRAIN_SIXTHS // 6
    if config.n > train:
        raise InputError(f"n asks for {config.n:,} training images, there are {train:,}")
    return np.concatenate([np.arange(config.n or train), np.arange(train, size)])


def split(config: Config, found: LabeledImages) -> tuple[Data, Data]:
    """Describes all images, and parts those to train on from those to judge."""
    colors, edges = (
        network.in_blocks(
            jax.jit(lambda x, f=describe: f(x.astype(jnp.float32) / 255)), found.images
        )
        for describe in (color_cells, edge_cells)
    )
    middle = config.n or len(found.images) * TRAIN_SIXTHS // 6
    # Each counts half. The mean squared distance of two rows is twice the variance.
    parts = [x / np.sqrt(4 * x[:middle].var(axis=0).sum()) for x in (colors, edges)]
    whole = Data(found.images, found.labels, np.concatenate(parts, axis=1))
    return Data(*(x[:middle] for x in whole)), Data(*(x[middle:] for x in whole))


def scaled(images: jax.Array) -> jax.Array:
    """Returns images as encoders see them, uint8 to about -2..2."""
    return images.astype(jnp.float32) / 64 - 2


def fit(
    config: Config, module: ResidualEncoder, data: Data, drawn: BalancedBatches, name: str
) -> matching.Fitted:
    """Trains the encoder as a classifier or by deep ranking, on the same batches."""
    classes = int(data.labels.max()) + 1

    def batches(start: int, stop: int) -> Any:
        rows = drawn.batches(start, stop)
        return data.images[rows], data.labels[rows], data.descriptors[rows]

    def draw(key: jax.Array, batch: Any) -> Any:
        images, labels, descriptors = batch
        move_key, flip_key, triplet_key = jax.random.split(key, 3)
        changed = shift_crop(move_key, flip(flip_key, scaled(images)), padding=config.padding)
        if name == "classifier":
            return changed, key, labels
        triplets = relevance_weighted_triplets(
            triplet_key,
            relevance(descriptors),
            labels,
            triplets=config.triplets,
            most_relevant=config.most_relevant,
            margin=config.relevance_margin,
            out_of_class=config.out_of_class,
        )
        return changed, key, triplets

    def terms(params: Any, key: jax.Array, vectors: jax.Array, aim: Any) -> Terms:
        if name == "classifier":
            logits = output_layer.logits(params["output"], vectors, scale=config.scale)
            return softmax_classifier_loss(logits, aim)
        return mined_triplets_loss(vectors, aim, margin=config.margin)

    def embed(params: Any, images: jax.Array) -> Any:
        return module.apply(params["encoder"], images)

    def finish(params: Any) -> matching.Fitted:
        return matching.Fitted(
            matching.Model(module, params["encoder"]), params["output"], config.options
        )

    start = network.initial(module, harness.keys(config, 3)[0], jnp.zeros((1, 32, 32, 3)))
    print(f"training by {'classification' if name == 'classifier' else TITLES[name]}")
    training = matching.start_on(
        jax.random.key(config.common.seed),
        {"encoder": start, "output": output_layer.init(dim=config.dim, classes=classes)},
        embed,
        terms,
        batches,
        config.options,
        draw=draw,
        finish=finish,
        chance_loss=math.log(classes) if name == "classifier" else config.margin,
    )
    return harness.run(config.common, training, config.common.out / name)


def relevance(descriptors: jax.Array) -> jax.Array:
    """Returns how alike all pairs look, [B, F] to [B, B] in [0, 1]."""
    return jnp.exp(-pairwise_squared_euclidean(descriptors, descriptors))


def evaluate(
    config: Config, vectors: dict[str, np.ndarray], test: Data, classes: tuple[str, ...]
) -> dict[str, float]:
    """Searches the test images, and prints tables."""
    figures: dict[str, float] = {}
    print("\nfound among the other test images; triplets are of one class, by colors and edges")
    print(f"{'':>18}   R@1   R@5  R@10 MAP@R   mAP  triplets")
    by_class = {}
    for name, rows in vectors.items():
        found = retrieval(rows, test.labels)
        ordered = triplet_precision(config, rows, test)
        scores = {f"recall_at_{k}": rate for k, rate in found.recall.items()}
        scores |= {"map_at_r": found.map_at_r, "map": found.mean_average_precision}
        scores["triplets_ordered"] = ordered
        print(f"{TITLES[name]:>18} {' '.join(f'{score:.3f}' for score in scores.values())}")
        precision = precision_by_class(rows, test.labels, len(classes))
        by_class[name] = precision
        scores |= {f"precision_{c}": float(p) for c, p in zip(classes, precision, strict=True)}
        figures |= {f"{name}_{score}": value for score, value in scores.items()}
    print("\nshare of the query's class among the ten nearest")
    print(f"{'':>18} {' '.join(f'{name[:6]:>6}' for name in classes)}")
    for name, precision in by_class.items():
        print(f"{TITLES[name]:>18} {' '.join(f'{p:6.3f}' for p in precision)}")
    return figures


def triplet_precision(config: Config, vectors: np.ndarray, test: Data) -> float:
    """Returns the share of triplets of one class that distances order as relevance does.

    Reference:
      Wang et al. 2014, arXiv:1404.4661, section 6.2 (similarity precision).
    """
    rows = np.sort(np.random.default_rng(config.common.seed).permutation(len(vectors))[:JUDGED])
    chosen = relevance_weighted_triplets(
        harness.keys(config, 3)[2],
        relevance(jnp.asarray(test.descriptors[rows])),
        jnp.asarray(test.labels[rows]),
        triplets=TRIPLETS,
        most_relevant=config.most_relevant,
        margin=config.relevance_margin,
        out_of_class=0.0,
    )
    anchor, positive, negative, valid = map(np.asarray, chosen)
    picked = vectors[rows]
    near, far = (
        np.square(picked[anchor] - picked[other]).sum(axis=1) for other in (positive, negative)
    )
    return float((near < far)[valid].mean())


def precision_by_class(vectors: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns the share [C] of each class's own among the ten nearest of its images."""
    ids = nearest_neighbors(vectors, k=10).ids
    right = (labels[ids] == labels[:, None]).mean(axis=1)
    return np.bincount(labels, right, classes) / np.bincount(labels, minlength=classes)


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
