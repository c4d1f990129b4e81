"""Pictures without labels: vectors of what the patches of a picture have in common.

    python -m experiments.contrastive_images

Two busy cores of an AMD EPYC, 48.5 minutes: by 30 neighbors 73.9%, by a linear probe 72.0%.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb import checks, io
from jaxemb.atomic import replacing
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.evaluation.probes import linear_probe, weighted_knn
from jaxemb.methods import contrastive_images
from jaxemb.progress import phase

from .harness import command, run_folder
from .harness.maps import drawing
from .harness.matching import own_pictures
from .harness.matching.own_pictures import PictureFlags
from .harness.spaces import unlabeled
from .harness.spaces.unlabeled import Parts
from .harness.tables import markdown

# The line of the table in README.md, of entries of summary.json.
FIGURE = "by 30 neighbors {patches_neighbors:.1%}, by a linear probe {patches_linear:.1%}"

NEIGHBORS = 30
# Of the linear probe; and how many known pictures choose one of them.
PENALTIES, CHOSEN_ON = (0.01, 0.1, 0.3), 10_000


@dataclasses.dataclass(frozen=True)
class Config:
    """Learns vectors of pictures from pictures alone, and asks what they know of classes.

    Labels, where there are any, judge: those of known pictures classify others, CIFAR-10's test
    images or a fifth of one's own, by their nearest neighbors and by a linear probe. Beside it are
    pixels, their principal components, directions of edges, and, with --compare, an autoencoder and
    a network trained by NT-Xent (SimCLR). Writes vectors.npy (a picture a row), rows.npy (which of
    the input they are), model/ (for jaxemb.io.load), nearest.png, map.png and map.html, table.md
    and summary.json to --out.
    """

    pictures: PictureFlags = PictureFlags(data="cifar10")
    options: contrastive_images.Options = contrastive_images.Options()
    compare: bool = True
    """Train an autoencoder and a network, too."""
    others: unlabeled.Options = unlabeled.Options()
    drawn: int = 3000
    """Pictures on the map, at most."""
    common: command.Common = command.Common(out=Path("runs/contrastive_images"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "drawn", at_least=10)


# What the test of this script runs.
SMOKE = Config(
    pictures=PictureFlags(data="digits", image_side=16, n=400),
    options=contrastive_images.Options(patterns=64, patch_dim=16, cells=2, dim=16),
    others=unlabeled.Options(
        network_iterations=12, network_features=(8,), autoencoder_iterations=12
    ),
    drawn=40,
)


class Scores(NamedTuple):
    """Of a representation: its width, the shares classified right, and seconds to make it."""

    width: int
    neighbors: float
    linear: float
    seconds: float


def run(config: Config) -> None:
    """Reads, learns, judges and draws."""
    command.use_cache()
    common = config.common
    given = own_pictures.load_pictures(config.pictures, data_dir=common.data_dir, seed=common.seed)
    assert given.images is not None
    images, count = given.images, len(given.images)
    if count < 2 * NEIGHBORS:
        raise InputError(f"{2 * NEIGHBORS} pictures or more are needed, found {count}")
    if not run_folder.open_run(common.out, config, given.sha256):
        return
    parts = unlabeled.part(config.pictures, given, common.seed)
    print(f"{count:,} pictures of {images.shape[2]} x {images.shape[1]} pixels")
    learned = images if parts is None else images[parts.known]
    began = time.perf_counter()
    fitted = contrastive_images.fit(common.seed, learned, config.options)
    learning = time.perf_counter() - began
    described = contrastive_images.describe(fitted.model, images)
    vectors = contrastive_images.compress(fitted.model, described)
    seconds = time.perf_counter() - began
    print(f"learned in {learning:.0f} seconds, embedded all after {seconds:.0f}")
    rows = np.arange(count) if given.rows is None else given.rows
    for name, array in (("vectors", vectors), ("rows", rows)):
        with replacing(common.out / f"{name}.npy") as path, path.open("wb") as file:
            np.save(file, array)
    io.save(common.out / "model", fitted)
    figures: dict[str, object] = {
        "pictures": count,
        "seconds": seconds,
        "learning_seconds": learning,
        "pictures_per_second": count / (seconds - learning),
    }
    if parts is not None:
        figures |= judge(config, given, parts, (vectors, described), seconds)
    draw(config, given, vectors)
    run_folder.finish(common.out, figures)


def judge(
    config: Config,
    given: Points,
    parts: Parts,
    found: tuple[np.ndarray, np.ndarray],
    seconds: float,
) -> dict[str, object]:
    """Classifies by each representation, prints the scores and writes table.md.

    Args:
      config: of the run.
      given: pictures with labels.
      parts: which classify, and which are classified.
      found: [N, D] vectors, and [N, F] what they were compressed from.
      seconds: that these took.
    """
    assert given.labels is not None
    assert given.images is not None
    scores: list[tuple[str, str, Scores]] = []
    others = unlabeled.representations(
        config.common, config.others if config.compare else None, given.images, parts.known
    )
    for name, (title, make) in others.items():
        began = time.perf_counter()
        made = make()
        took = time.perf_counter() - began
        scores.append((name, title, classify(given.labels, parts, made, made, took)))
    scores.append(
        ("patches", "patches, contrasted", classify(given.labels, parts, *found, seconds))
    )
    lines = [
        (
            title,
            str(own.width),
            f"{100 * own.neighbors:.1f}",
            f"{100 * own.linear:.1f}",
            f"{own.seconds:.0f}",
        )
        for _, title, own in scores
    ]
    table = markdown(("", "numbers", "neighbors %", "linear %", "seconds"), lines, figures=True)
    print(f"\n{len(parts.judged):,} pictures judged:\n" + "\n".join(table))
    with replacing(config.common.out / "table.md") as file:
        file.write_text("\n".join(table) + "\n")
    return {
        f"{name}_{field}": value
        for name, _, own in scores
        for field, value in own._asdict().items()
    }


def classify(
    labels: np.ndarray, parts: Parts, vectors: np.ndarray, wide: np.ndarray, seconds: float
) -> Scores:
    """Classifies by nearest vectors, and by a linear function of what they were made from."""
    known, expected = labels[parts.known], labels[parts.judged]
    with phase("classifying by neighbors"):
        near = weighted_knn(
            vectors[parts.known], known, vectors[parts.judged], k=min(NEIGHBORS, len(known))
        )
    with phase("classifying by a linear probe"):
        # A part of what is known chooses the penalty.
        order = np.random.default_rng(0).permutation(len(known))[:CHOSEN_ON]
        asked, rest = np.split(parts.known[order], [len(order) // 5])
        penalty = max(
            PENALTIES,
            key=lambda one: float(
                (
                    linear_probe(wide[rest], labels[rest], wide[asked], penalty=one)
                    == labels[asked]
                ).mean()
            ),
        )
        along = linear_probe(wide[parts.known], known, wide[parts.judged], penalty=penalty)
    by_neighbors, by_line = (float((told == expected).mean()) for told in (near, along))
    return Scores(vectors.shape[1], by_neighbors, by_line, seconds)


def draw(config: Config, given: Points, vectors: np.ndarray) -> None:
    """Draws some pictures in a map, and what is nearest to a few."""
    assert given.images is not None
    rows = np.linspace(0, len(vectors) - 1, min(config.drawn, len(vectors))).astype(int)
    images, own = given.images[rows], vectors[rows]
    labels = None if given.labels is None else given.labels[rows]
    unlabeled.draw_nearest(config.common.out / "nearest.png", images, labels, own)
    names = [f"picture {row}" if given.names is None else given.names[row] for row in rows]
    drawing.draw_space(
        config.common,
        own,
        names=names,
        images=images,
        labels=labels,
        classes=given.classes,
        title=f"{len(rows):,} pictures by what their patches have in common, by t-SNE",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
