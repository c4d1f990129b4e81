"""Faces of people never seen, matched by an embedding of others'.

    python -m experiments.faces

Two busy cores of an AMD EPYC, 1.1 minutes: EER 4.8%, rank-1 from one photograph 92.4%.
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxemb import checks
from jaxemb.data.images import LabeledImages
from jaxemb.data.sets import faces
from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery
from jaxemb.evaluation.identification import identification, open_set, open_set_threshold
from jaxemb.evaluation.verification import all_pairs, area, equal_error_rate, roc, threshold_at
from jaxemb.io import gallery_file
from jaxemb.methods import matching
from jaxemb.training.network import in_blocks

from .harness import command, run_folder
from .harness.matching import training as harness
from .harness.matching.face_embedding import DESCRIBED, Options, train
from .harness.matching.pictures import draw_hardest_pairs, draw_neighbors

# The line of the table in README.md, of entries of summary.json.
FIGURE = "EER {eer:.1%}, rank-1 from one photograph {rank1:.1%}"

# People of the data set, with ten photographs each.
PEOPLE = 40
# Rows of the picture of neighbors, two each.
SHOWN = 6


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains on some people and judges on others, of the 40 with ten photographs each.

    Photographs become oriented gradients, and a linear map evens out how those of one person vary:
    a closed form, from which --tuned goes on by --loss. Twenty people are too few for that: they
    are told apart already, and those left out, a part at a time, are matched worse afterwards.
    These also give the thresholds. Writes pairs.png (the hardest pairs), neighbors.png,
    images.png and map.html (by t-SNE), gallery.npz and summary.json to --out, and where it is
    tuned metrics.jsonl and checkpoints/; the same command again then goes on where it was stopped.
    """

    trained_on: int = 20
    """People 1 to this are trained on, the others are judged."""
    folds: int = 4
    """Parts of the people trained on, each left out once to choose thresholds and judge fields."""
    false_accept_rate: float = 0.01
    """The most pairs of different people, and of unknown people, that thresholds may accept."""
    gallery_shots: int = 3
    """Photographs of each person that are enrolled, where there may be unknown people."""
    embedding: Options = Options()
    common: command.Common = command.Common(out=Path("runs/faces"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "trained_on", at_least=4, at_most=36)
        checks.check_field(self, "folds", at_least=2, at_most=self.trained_on // 2)
        checks.check_field(self, "false_accept_rate", at_least=0, at_most=1)
        checks.check_field(self, "gallery_shots", at_least=1, at_most=9)
        least = self.trained_on - -(-self.trained_on // self.folds)
        if self.options.identities > least:
            raise InputError(
                f"identities must be at most {least}, the people left of {self.trained_on} when "
                f"one of {self.folds} folds is left out, found {self.options.identities}"
            )

    @property
    def options(self) -> matching.Options:
        """Of the training."""
        return self.embedding.options


# What the test of this script runs.
SMOKE = Config(
    trained_on=8,
    folds=2,
    gallery_shots=2,
    embedding=Options(
        dim=12,
        copies=2,
        tuned=True,
        options=matching.Options(
            iterations=30, identities=4, samples=3, learning_rate=1e-5, parts=1
        ),
    ),
)


def run(config: Config) -> None:
    """Trains, judges and draws."""
    command.use_cache()
    path = config.common.data_dir / faces.FILE
    data = faces.read(config.common.data_dir)
    check(config, data.labels)
    if not harness.open_run(config, [path]):
        return
    images = data.images
    known = data.labels < config.trained_on
    held_out = leave_out(config, images[known], data.labels[known])
    figures = {"iterations": config.options.iterations, **held_out.figures}
    embed = embed_of(config, images[known], data.labels[known], config.common.out)
    labels = data.labels[~known]
    embeddings = {
        "pixels": harness.flat(images[~known]),
        "embedding": in_blocks(embed, images[~known]),
    }
    print(f"people {config.trained_on + 1} to {len(data.classes)}, never seen:")
    for name, vectors in embeddings.items():
        scores = evaluate(vectors, labels)
        print(
            f"  {name:>9}: EER {scores['eer']:.2%}, AUC {scores['auc']:.4f}; right person of "
            f"{len(np.unique(labels))} from one photograph {scores['rank1']:.1%}, among five "
            f"{scores['rank5']:.1%}"
        )
        prefix = "" if name == "embedding" else f"{name}_"
        figures |= {prefix + figure: value for figure, value in scores.items()}
    vectors = embeddings["embedding"]
    distances, same = all_pairs(vectors, labels)
    accepted = distances <= held_out.threshold
    figures |= {
        "threshold": held_out.threshold,
        "validation_rate": float(accepted[same].mean()),
        "false_accept_rate": float(accepted[~same].mean()),
    }
    print(
        f"the distance {held_out.threshold:.3f}, from people left out of training, accepts "
        f"{figures['validation_rate']:.1%} of the pairs of the same person and "
        f"{figures['false_accept_rate']:.2%} of the others"
    )
    figures |= keep_gallery(config, vectors, labels, data.classes, held_out.unknown_threshold)
    draw(config, data, embeddings, held_out.threshold)
    run_folder.finish(config.common.out, figures)


def check(config: Config, labels: np.ndarray) -> None:
    """Refuses an embedding wider than what the closed form can be made of.

    Raises:
      InputError: naming the field.
    """
    people, copies = labels[labels < config.trained_on], config.embedding.copies
    fewest = min((people % config.folds != fold).sum() for fold in range(config.folds))
    most = min(DESCRIBED, int(fewest) * copies)
    if config.embedding.dim > most:
        raise InputError(
            f"dim must be at most {most}, found {config.embedding.dim}: there are {DESCRIBED} "
            f"gradients, and {fewest} photographs, {copies} copies of each, when a fold is left out"
        )


def embed_of(
    config: Config, images: np.ndarray, labels: np.ndarray, folder: Path
) -> Callable[[jax.Array], jax.Array]:
    """Returns the embedding that photographs [N, H, W] teach."""
    return train(config.embedding, images, labels, common=config.common, folder=folder)


class HeldOut(NamedTuple):
    """What people left out of training tell.

    Attributes:
      threshold: of pairs.
      unknown_threshold: beyond it nobody of a gallery is meant.
      figures: for the summary.
    """

    threshold: float
    unknown_threshold: float
    figures: dict[str, float]


def leave_out(config: Config, images: np.ndarray, labels: np.ndarray) -> HeldOut:
    """Trains without some of the people trained on, in turn, and judges on these."""
    distances, same, ranks, unknown = [], [], [], []
    for fold in range(config.folds):
        left = labels % config.folds == fold
        embed = embed_of(config, images[~left], labels[~left], config.common.out / f"fold{fold}")
        strangers, others = in_blocks(embed, images[left]), in_blocks(embed, images[~left])
        ranks.append(evaluate(strangers, labels[left])["rank1"])
        pairs = all_pairs(strangers, labels[left])
        distances.append(pairs[0])
        same.append(pairs[1])
        # As many people as the gallery will have.
        size = min(gallery_size(config), len(np.unique(labels[~left])))
        enrolled = np.isin(labels[~left], np.unique(labels[~left])[:size])
        enrolled &= shot_numbers(labels[~left]) < config.gallery_shots
        unknown.append(
            open_set_threshold(
                strangers, others[enrolled], false_positive_rate=config.false_accept_rate
            )
        )
    curve = roc(np.concatenate(distances), np.concatenate(same))
    figures = {"held_out_eer": equal_error_rate(curve), "held_out_rank1": float(np.mean(ranks))}
    print(
        f"people of 1 to {config.trained_on} left out of training in turn: EER "
        f"{figures['held_out_eer']:.2%}"
    )
    threshold = threshold_at(curve, config.false_accept_rate)
    return HeldOut(threshold, float(np.mean(unknown)), figures)


def shot_numbers(labels: np.ndarray) -> np.ndarray:
    """Numbers each person's photographs from 0."""
    return np.array([np.count_nonzero(labels[:i] == label) for i, label in enumerate(labels)])


def evaluate(vectors: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Tells pairs apart, and names people of whom one photograph is known: each of ten in turn."""
    curve = roc(*all_pairs(vectors, labels))
    shots = shot_numbers(labels)
    rates = []
    for shot in range(shots.max() + 1):
        enrolled = shots == shot
        found = identification(
            vectors[~enrolled], labels[~enrolled], vectors[enrolled], labels[enrolled]
        )
        rates.append([found.rates[1], found.rates[5]])
    rank1, rank5 = np.mean(rates, axis=0)
    return {
        "eer": equal_error_rate(curve),
        "auc": area(curve),
        "rank1": float(rank1),
        "rank5": float(rank5),
    }


def gallery_size(config: Config) -> int:
    """Returns how many of the people judged are enrolled: half; the others are unknown."""
    return (PEOPLE - config.trained_on) // 2


def keep_gallery(
    config: Config,
    vectors: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    threshold: float,
) -> dict[str, float]:
    """Enrols half of the people, looks all up, then adds and removes one without training."""
    people = np.unique(labels)
    enrolled = people[: gallery_size(config)]
    shown = shot_numbers(labels) < config.gallery_shots
    known = shown & np.isin(labels, enrolled)
    scores = open_set(
        vectors[~shown], labels[~shown], vectors[known], labels[known], threshold=threshold
    )
    print(
        f"a gallery of {len(enrolled)} of them, {config.gallery_shots} photographs each, accepts "
        f"and names {scores.identification_rate:.1%} of other photographs of these, and takes "
        f"{scores.false_positive_rate:.1%} of those of {len(people) - len(enrolled)} unknown "
        "people for one of these"
    )
    gallery = Gallery(width=config.embedding.dim, threshold=threshold)
    for person in enrolled:
        gallery.enroll(f"person {classes[person]}", vectors[known & (labels == person)])
    newcomer = people[len(enrolled)]
    name, seen = f"person {classes[newcomer]}", labels == newcomer
    others = vectors[seen & ~shown]

    def named(as_whom: str | None) -> float:
        return float(np.mean([found.name == as_whom for found in gallery.look_up(others)]))

    before = named(None)
    gallery.enroll(name, vectors[seen & shown])
    enrolled_now = named(name)
    gallery.remove(name)
    after = named(None)
    print(
        f"{name}, of whom it knows nothing: {before:.0%} of the photographs are called unknown; "
        f"once enrolled, {enrolled_now:.0%} are named; once removed, {after:.0%} unknown again"
    )
    gallery_file.write(config.common.out / "gallery.npz", gallery)
    return {
        "open_set_threshold": threshold,
        "open_set_identification_rate": scores.identification_rate,
        "open_set_false_positive_rate": scores.false_positive_rate,
        "newcomer_unknown_rate": before,
        "newcomer_named_rate": enrolled_now,
    }


def draw(
    config: Config, data: LabeledImages, embeddings: dict[str, np.ndarray], threshold: float
) -> None:
    """Draws the hardest pairs, the neighbors of hard faces, and a map, of people never seen."""
    judged = data.labels >= config.trained_on
    images, labels = data.images[judged], data.labels[judged]
    vectors = embeddings["embedding"]
    draw_hardest_pairs(
        config.common.out / "pairs.png",
        images,
        *all_pairs(vectors, labels),
        threshold=threshold,
        title="the hardest pairs of people never seen",
    )
    # The queries whose own person is farthest, compared with the nearest other.
    cosines = vectors @ vectors.T
    same = labels[:, None] == labels[None, :]
    own = np.where(same & ~np.eye(len(labels), dtype=bool), cosines, -1).max(axis=1)
    other = np.where(same, -1, cosines).max(axis=1)
    draw_neighbors(
        config.common.out / "neighbors.png",
        images,
        labels,
        embeddings,
        np.argsort(own - other, kind="stable")[:SHOWN],
        title="the hardest faces, and what lies nearest",
    )
    harness.draw_map(
        config, vectors, labels, images, data.classes, title="people never seen, embedded"
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
