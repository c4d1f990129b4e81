"""Pictures of one's own, matched: an encoder that tells apart whom training never saw.

    python -m experiments.matching --data mnist

Two busy cores of an AMD EPYC, 6.1 minutes: one-shot error 4.1%, by pixels 26.1%, AUC 0.965.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks, io
from jaxemb.errors import InputError
from jaxemb.evaluation.episodes import draw_episodes, episode_accuracy
from jaxemb.evaluation.identification import nearest_others, open_set, threshold_below
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.evaluation.verification import all_pairs, area, equal_error_rate, roc, threshold_at
from jaxemb.methods import matching
from jaxemb.methods.matching import losses
from jaxemb.models.encoders import ConvEncoder, PictureEncoder, ResidualEncoder
from jaxemb.sampling import augment

from .harness import command, run_folder
from .harness.matching import own_pictures
from .harness.matching import training as harness
from .harness.matching.own_pictures import Parts, PictureFlags, Pictures
from .harness.matching.pictures import draw_hardest_pairs, draw_neighbors

# The line of the table in README.md, of entries of summary.json.
FIGURE = "one-shot error {one_shot_error:.1%}, by pixels {pixels_one_shot_error:.1%}, AUC {auc:.3f}"

# Pictures judged, of which all pairs are measured, and pictures that give the threshold.
JUDGED = 2000
EPISODES, WAYS = 1000, 5
# Width of what the loss sees, after the projection head.
PROJECTED = 64
# Pictures of each individual that a gallery has where thresholds are chosen.
ENROLLED = 5
# A batch has no more pictures of a class: of few pictures these would be copies.
MOST_SAMPLES = 16
# Steps that few pictures are trained for, too.
LEAST_STEPS = 200
# Rows of the picture of neighbors, two each.
SHOWN = 6
# Channels of the blocks, of which there are as many as leave two pixels a side.
FEATURES = (16, 32, 64, 64)
# Pictures embedded at a time.
AT_A_TIME = 256


@dataclasses.dataclass(frozen=True)
class Changes:
    """How pictures are changed while the encoder is trained."""

    rotation: float = 10.0
    """Largest angle that a picture is turned by, in degrees."""
    scale: float = 0.1
    """Largest change of a side, as a share of it."""
    shear: float = 0.05
    """Largest tangent of the angle by which an axis leans."""
    shift: float = 0.05
    """Largest move, as a share of a side."""
    mirror: bool = False
    """Mirror every other picture, left to right: for what may look either way, not for letters."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "rotation", at_least=0, at_most=180)
        for name in ("scale", "shift"):
            checks.check_field(self, name, at_least=0, at_most=0.9)
        checks.check_field(self, "shear", at_least=0, at_most=10)


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains an encoder on some classes of pictures and judges it on classes never seen.

    Classes may be people, things, characters: whatever new ones are to be told apart by. Writes
    pairs.png (the hardest pairs), neighbors.png, images.png and map.html (by t-SNE), all of classes
    never seen, summary.json, metrics.jsonl, checkpoints/ and the encoder (fitted.json and its
    arrays) to --out: `jaxemb gallery build FOLDER --encoder OUT` enrolls individuals with it,
    `jaxemb predict OUT FOLDER` writes vectors. The same command again goes on where it was stopped.
    """

    pictures: PictureFlags = PictureFlags()
    held_out: float = 0.2
    """Share of the classes that training never sees, at least two; of fewer than four classes,
    share of the pictures of each."""
    false_accept_rate: float = 0.05
    """The most pictures of strangers, and pairs of different classes, that thresholds accept."""
    encoder: Literal["conv", "residual"] = "conv"
    """Blocks of convolutions, plain or residual."""
    dim: int = 128
    """Width of the embedding."""
    head: int = 128
    """Width of the layer between embedding and loss, of a projection head that only training has; 0
    for none."""
    features: tuple[int, ...] = ()
    """Channels of each block, multiples of 8. None: as many of the last of 16 32 64 64 as leave two
    pixels a side."""
    epochs: int = 20
    """The most times that a picture is seen, where that makes at least 200 steps: fewer steps than
    --iterations for few pictures."""
    objective: losses.Choice = losses.Choice()
    changes: Changes = Changes()
    options: matching.Options = matching.Options(iterations=1000, identities=32, samples=4)
    common: command.Common = command.Common(out=Path("runs/matching"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "held_out", above=0, at_most=0.5)
        checks.check_field(self, "false_accept_rate", at_least=0, at_most=1)
        checks.check_field(self, "dim", at_least=2)
        checks.check_field(self, "head", at_least=0)
        checks.check_field(self, "epochs", at_least=1)
        if self.features:
            harness.check_features(self.features)


# What the test of this script runs.
SMOKE = Config(
    pictures=PictureFlags(n=400),
    dim=8,
    features=(8, 8),
    options=matching.Options(iterations=30, identities=4, samples=4, learning_rate=0.01, parts=1),
)


def run(config: Config) -> None:
    """Reads, trains, judges, draws and saves."""
    command.use_cache()
    out, seed = config.common.out, config.common.seed
    pictures = own_pictures.read(config.pictures, data_dir=config.common.data_dir, seed=seed)
    parts = own_pictures.part(pictures, held_out=config.held_out, seed=seed)
    encoder = make(config, pictures.images)
    options = fit_to(config, pictures.labels[parts.train])
    loss = losses.choose(config.objective, samples=options.samples)
    if config.head:
        loss = losses.projected(loss, dim=PROJECTED, hidden=config.head)
    if not run_folder.open_run(out, config, pictures.sha256):
        return
    tell(config, pictures, parts, options)
    training = matching.start(
        seed,
        encoder,
        loss,
        pictures.images[parts.train],
        pictures.labels[parts.train],
        options,
        augment=lambda key, images: change(config.changes, key, images),
    )
    fitted = harness.run(config.common, training)
    test, validation = (spread(rows, JUDGED) for rows in (parts.test, parts.validation))
    if joins_pixels(fitted.model, pictures, validation, parts):
        module = fitted.model.module.clone(pixels=True)
        fitted = fitted._replace(model=fitted.model._replace(module=module))
    images, labels = pictures.images[test], pictures.labels[test]
    embeddings = {"pixels": harness.flat(images), "embedding": embed(fitted.model, images)}
    figures: dict[str, float] = {"pictures": len(pictures.labels), "judged": len(test)}
    figures |= {"iterations": fitted.history.steps, "seconds": fitted.history.seconds}
    figures |= judge(config, embeddings, labels)
    if figures["auc"] < figures["pixels_auc"] + 0.01:
        print("what was learned tells them apart hardly better than pixels do: give more classes")
    chosen_on = embed(fitted.model, pictures.images[validation]), pictures.labels[validation]
    curve = roc(*all_pairs(*chosen_on))
    figures["pair_threshold"] = max(threshold_at(curve, config.false_accept_rate), 0.0)
    if parts.strangers:
        threshold = choose_threshold(config, *chosen_on)
        because = (
            f"accepts at most {config.false_accept_rate:.0%} of strangers' pictures, chosen on "
            f"{parts.chosen_on}"
        )
        print(f"the distance {threshold:.3f} {because}")
        figures["open_set_threshold"] = threshold
        figures |= judge_gallery(embeddings["embedding"], labels, threshold)
        if figures["open_set_false_positive_rate"] > 2 * config.false_accept_rate:
            print(
                "which is more than was asked for: so few classes are a poor choice to choose a "
                "threshold on; give more, or a smaller --threshold to `jaxemb gallery build`"
            )
        fitted = fitted._replace(threshold=threshold, threshold_from=because)
    else:
        print(
            "no classes are left to choose by whom a gallery does not know; `jaxemb gallery build` "
            "chooses by those enrolled"
        )
    io.save(out, fitted)
    draw(config, images, labels, pictures.classes, embeddings, figures["pair_threshold"])
    run_folder.finish(out, figures)


def make(config: Config, images: np.ndarray) -> PictureEncoder:
    """Returns the encoder of pictures [N, S, S] or [N, S, S, 3]."""
    side = images.shape[1]
    features = config.features
    if not features:
        # Each block halves the sides.
        features = FEATURES[-max(1, side.bit_length() - 2) :]
    if config.encoder == "conv" and side < 2 ** len(features):
        raise InputError(
            f"features must be at most {side.bit_length() - 1} for pictures of {side} pixels a "
            f"side, which each block halves, found {len(features)}"
        )
    kind = {"conv": ConvEncoder, "residual": ResidualEncoder}[config.encoder]
    return PictureEncoder(kind(config.dim, features), side=side, color=images.ndim == 4)


def fit_to(config: Config, labels: np.ndarray) -> matching.Options:
    """Returns options for batches of as many pictures of few classes, and for few pictures."""
    options, classes = config.options, len(np.unique(labels))
    if classes < options.identities:
        samples = options.identities * options.samples // classes
        samples = max(options.samples, min(MOST_SAMPLES, samples // 2 * 2))
        options = dataclasses.replace(options, identities=classes, samples=samples)
    steps = config.epochs * len(labels) // (options.identities * options.samples)
    iterations = min(options.iterations, max(LEAST_STEPS, steps))
    return dataclasses.replace(options, iterations=iterations)


def tell(config: Config, pictures: Pictures, parts: Parts, options: matching.Options) -> None:
    """Prints what is trained on, and what is not."""
    count, side = pictures.images.shape[:2]
    kind = "gray" if pictures.images.ndim == 3 else "color"
    print(
        f"{config.pictures.data}: {count:,} pictures of {len(np.unique(pictures.labels)):,} "
        f"classes, {side} x {side} pixels, {kind}"
    )
    print(f"training never sees {parts.told}; thresholds are chosen on {parts.chosen_on}")
    print(
        f"it sees {len(parts.train):,} pictures of {len(np.unique(pictures.labels[parts.train])):,}"
        f" classes, {options.samples} of each of {options.identities} in a batch, "
        f"{options.iterations:,} steps"
    )


def change(changes: Changes, key: jax.Array, images: jax.Array) -> jax.Array:
    """Returns pictures [B, S, S] or [B, S, S, 3] as they might have been taken."""
    place_key, mirror_key = jax.random.split(key)
    shape = (len(images), images.shape[1], images.shape[2])
    places = augment.affine_places(
        place_key,
        shape,
        rotation=changes.rotation,
        scale=changes.scale,
        shear=changes.shear,
        shift=changes.shift,
    )
    found = augment.resample(images.reshape(*shape, -1).astype(jnp.float32), places, edge=True)
    return augment.flip(mirror_key, found) if changes.mirror else found


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """Returns at most so many rows, at equal distances."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]


def embed(model: matching.Model, images: np.ndarray) -> np.ndarray:
    """Embeds pictures, [N, D]."""
    return matching.encode(model, images, at_a_time=AT_A_TIME)


def joins_pixels(model: matching.Model, pictures: Pictures, rows: np.ndarray, parts: Parts) -> bool:
    """Tells whether vectors are to have the picture's pixels as a second half.

    They do where that tells classes apart better that are neither trained on nor judged, and where
    there are none: too few classes were learned from then.
    """
    if not parts.strangers:
        print("few classes teach little, so that half of each vector is the picture's own pixels")
        return True
    images, labels = pictures.images[rows], pictures.labels[rows]
    alone, joined = (
        area(roc(*all_pairs(embed(model._replace(module=module), images), labels)))
        for module in (model.module, model.module.clone(pixels=True))
    )
    print(
        f"AUC of {parts.chosen_on}: {alone:.4f} by what was learned, {joined:.4f} with the "
        f"picture's pixels as a second half, which is {'kept' if joined > alone else 'left out'}"
    )
    return joined > alone


def judge(
    config: Config, embeddings: dict[str, np.ndarray], labels: np.ndarray
) -> dict[str, float]:
    """Matches pictures never seen, by each embedding."""
    figures: dict[str, float] = {}
    counts = np.unique(labels, return_counts=True)[1]
    several = counts[counts > 1]
    ways = min(WAYS, len(several))
    episodes = draw_episodes(
        jax.random.key(config.common.seed),
        labels,
        ways=ways,
        shots=1,
        queries=int(min(5, several.min() - 1)),
        episodes=EPISODES,
    )
    print(f"{len(labels):,} pictures of {len(counts):,} classes, never seen:")
    for name, vectors in embeddings.items():
        curve = roc(*all_pairs(vectors, labels))
        few = episode_accuracy(vectors, episodes)
        scores = {
            "auc": area(curve),
            "eer": equal_error_rate(curve),
            "recall_at_1": retrieval(vectors, labels, ks=(1,)).recall[1],
            "one_shot_error": 1 - few.accuracy,
            "one_shot_interval": few.interval,
        }
        print(
            f"  {name:>9}: AUC {scores['auc']:.4f}, EER {scores['eer']:.2%}, Recall@1 "
            f"{scores['recall_at_1']:.4f}; one picture of each of {ways} classes known: "
            f"{few.accuracy:.2%} ± {few.interval:.2%} right"
        )
        prefix = "" if name == "embedding" else f"{name}_"
        figures |= {prefix + figure: value for figure, value in scores.items()}
    return figures


def choose_threshold(config: Config, vectors: np.ndarray, labels: np.ndarray) -> float:
    """Returns the distance beyond which a picture is of nobody that a gallery has.

    Args:
      config: the experiment's.
      vectors: [N, D] of classes neither trained on nor judged; each is a stranger to all others.
      labels: [N] their classes.
    """
    enrolled = shot_numbers(labels) < ENROLLED
    near = nearest_others(vectors, labels, vectors[enrolled], labels[enrolled])
    return threshold_below(near, config.false_accept_rate)


def judge_gallery(vectors: np.ndarray, labels: np.ndarray, threshold: float) -> dict[str, float]:
    """Enrolls half of the classes never seen, and looks the pictures of all of them up."""
    classes, counts = np.unique(labels, return_counts=True)
    known = np.isin(labels, classes[: max(1, len(classes) // 2)])
    shots = max(1, min(ENROLLED, int(counts.min()) // 2))
    enrolled = known & (shot_numbers(labels) < shots)
    scores = open_set(
        vectors[~enrolled],
        labels[~enrolled],
        vectors[enrolled],
        labels[enrolled],
        threshold=threshold,
    )
    print(
        f"a gallery of {len(np.unique(labels[known]))} of the classes never seen, {shots} pictures "
        f"each, names {scores.identification_rate:.1%} of their other pictures, and "
        f"{scores.false_positive_rate:.1%} of those of strangers"
    )
    return {
        "open_set_identification_rate": scores.identification_rate,
        "open_set_false_positive_rate": scores.false_positive_rate,
    }


def shot_numbers(labels: np.ndarray) -> np.ndarray:
    """Numbers the pictures of each class from 0."""
    numbers = np.empty(len(labels), int)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        numbers[rows] = np.arange(len(rows))
    return numbers


def draw(
    config: Config,
    images: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    embeddings: dict[str, np.ndarray],
    threshold: float,
) -> None:
    """Draws the hardest pairs, some neighbors, and a map, of pictures never seen."""
    vectors = embeddings["embedding"]
    draw_hardest_pairs(
        config.common.out / "pairs.png",
        images,
        *all_pairs(vectors, labels),
        threshold=threshold,
        title="the hardest pairs of classes never seen",
    )
    draw_neighbors(
        config.common.out / "neighbors.png",
        images,
        labels,
        embeddings,
        spread(np.flatnonzero(shot_numbers(labels) < 2), SHOWN),
        title="pictures never seen, and what lies nearest",
    )
    harness.draw_map(
        config, vectors, labels, images, classes, title="pictures never seen, embedded"
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
