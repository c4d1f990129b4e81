"""Classes never seen, known by their name's word vector alone; and whether a picture is of one.

    python -m experiments.zero_shot --vectors runs/word2vec/vectors.txt

Two busy cores of an AMD EPYC, 7.0 minutes: mean of 45 pairs 75.2%, an animal and a vehicle 83.7%.
"""

import dataclasses
import itertools
import json
import sys
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from flax import linen as nn

from jaxemb import checks, io
from jaxemb.atomic import replacing
from jaxemb.data.files import file_sha256
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.methods import two_views
from jaxemb.methods.matching import losses
from jaxemb.models.encoders import Given, PictureEncoder, ResidualEncoder
from jaxemb.progress import phase
from jaxemb.sampling.augment import flip, shift_crop

from .harness import command, run_folder
from .harness.matching import own_pictures
from .harness.matching import training as harness
from .harness.matching.own_pictures import PictureFlags
from .harness.spaces import unlabeled, unseen
from .harness.spaces.unlabeled import Parts
from .harness.spaces.unseen import Pair, Told
from .harness.tables import markdown, write_csv

# The line of the table in README.md, of entries of summary.json.
FIGURE = "mean of {pairs} pairs {mean:.1%}, an animal and a vehicle {animal_vehicle:.1%}"

VEHICLES = ("airplane", "automobile", "ship", "truck")
# Pictures a step of an encoder's training, and pixels that it is shifted by at most.
BATCH, PADDING = 128, 4


@dataclasses.dataclass(frozen=True)
class Config:
    """Holds two classes out, and tells their pictures by the word vectors of their names alone.

    Pictures of all other classes are mapped to the word vectors of their names; then which of the
    two names is nearer to a picture of these? For every pair pictures are mapped by ridge
    regression from vectors that experiments.contrastive_images learned without labels. For the
    pairs in --own an encoder is trained, too: by DeViSE's ranking loss, on pictures of the seen
    classes alone. Novelty: is a picture near to known ones? Writes pairs.csv, table.md,
    novelty.png, metrics.jsonl and checkpoints of each encoder, and summary.json to --out.
    """

    vectors: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Word vectors, in any format that jaxemb.io reads, that have the names of the classes."""
    embedded: Annotated[Path, tyro.conf.arg(metavar="RUN")] = Path("runs/contrastive_images")
    """The folder of a run of experiments.contrastive_images on the same pictures."""
    pictures: PictureFlags = PictureFlags(data="cifar10")
    own: tuple[str, ...] = ("cat-truck", "cat-automobile", "deer-ship", "cat-dog")
    """Pairs of classes that an encoder of its own is trained for."""
    features: tuple[int, ...] = (16, 32, 64)
    """Channels of its residual blocks."""
    margin: float = 0.1
    """Of the ranking loss, in cosine."""
    options: two_views.Options = two_views.Options(iterations=300, batch=BATCH, learning_rate=2e-3)
    common: command.Common = command.Common(out=Path("runs/zero_shot"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "margin", at_least=0, at_most=2)


# What the test of this script runs, vectors and embedded given.
SMOKE = {
    "own": ("0-1",),
    "features": (8,),
    "options": two_views.Options(iterations=30, batch=32, learning_rate=5e-3),
}


def run(config: Config) -> None:
    """Reads, maps, trains, judges and draws."""
    command.use_cache()
    common = config.common
    given = own_pictures.load_pictures(config.pictures, data_dir=common.data_dir, seed=common.seed)
    vectors = read_embedded(config, given)
    words = read_words(config, given.classes)
    own = [find_pair(pair, given.classes) for pair in config.own]
    sha256 = given.sha256 | {str(path): file_sha256(path) for path in (config.vectors,)}
    if not run_folder.open_run(common.out, config, sha256):
        return
    parts = unlabeled.part(config.pictures, given, common.seed)
    assert parts is not None
    count = len(given.classes)
    pairs = list(itertools.combinations(range(count), 2))
    mapped: dict[Pair, Told] = {}
    with phase(f"mapping pictures to words, {len(pairs)} times"):
        for pair in pairs:
            found = unseen.map_vectors(vectors, words, given, parts, pair)
            mapped[pair] = unseen.tell(found, vectors, words, given, parts, pair)
    figures = report_pairs(config, given.classes, mapped)
    trained: dict[Pair, Told] = {}
    for pair in own:
        found = train(config, words, given, parts, pair)
        trained[pair] = unseen.tell(found, found, words, given, parts, pair)
    figures |= report_own(config, given.classes, mapped, trained)
    draw(config, mapped, trained)
    run_folder.finish(common.out, figures)


def read_embedded(config: Config, given: Points) -> np.ndarray:
    """Returns the vectors of pictures, [N, D].

    Raises:
      InputError: if there are none, or not of these pictures.
    """
    assert given.images is not None
    path = config.embedded / "vectors.npy"
    try:
        vectors = np.load(path, allow_pickle=False)
        rows = np.load(config.embedded / "rows.npy", allow_pickle=False)
        seen = json.loads((config.embedded / "config.json").read_text())["data_sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{config.embedded}: expected a finished run, which `python -m "
            f"experiments.contrastive_images --data {config.pictures.data} --out {config.embedded}`"
            f" makes: {error}"
        ) from error
    count = len(given.images)
    same = np.array_equal(rows, np.arange(count) if given.rows is None else given.rows)
    if not same or sorted(seen.values()) != sorted(given.sha256.values()):
        raise InputError(
            f"{config.embedded}: has vectors of {len(vectors):,} pictures that are not those of "
            f"{config.pictures.data}, {count:,}; n and seed must be those of that run"
        )
    return vectors


def read_words(config: Config, classes: tuple[str, ...]) -> np.ndarray:
    """Returns the word vectors of classes, [C, D] of length 1.

    Raises:
      InputError: if there are fewer than four classes, or one has no vector.
    """
    if len(classes) < 4:
        raise InputError(
            f"four classes or more are needed, two of them to learn from, found {len(classes)}"
        )
    found = io.read(config.vectors)
    unknown = [name for name in classes if name not in found and name.lower() not in found]
    if unknown:
        raise InputError(
            f"{config.vectors}: has no vector of the classes {', '.join(unknown[:5])}; a class is "
            "known by the word vector of its name"
        )
    own = [found[name] if name in found else found[name.lower()] for name in classes]
    return np.asarray(unit(jnp.asarray(np.stack(own), jnp.float32)))


def find_pair(text: str, classes: tuple[str, ...]) -> Pair:
    """Returns the positions of two classes, joined by a hyphen.

    Raises:
      InputError: naming what there is.
    """
    for at in range(len(text)):
        first, second = text[:at], text[at + 1 :]
        if text[at] == "-" and first in classes and second in classes and first != second:
            a, b = sorted((classes.index(first), classes.index(second)))
            return a, b
    raise InputError(
        f"own: {text!r} is no pair of classes such as {classes[0]}-{classes[1]}; the classes are "
        f"{', '.join(classes[:20])}"
    )


def train(config: Config, words: np.ndarray, given: Points, parts: Parts, pair: Pair) -> np.ndarray:
    """Trains an encoder of pictures to words on the seen classes.

    Returns:
      [N, D] mapped pictures; NaN for those that nothing is told of, as most of the known ones.
    """
    assert given.images is not None
    assert given.labels is not None
    images, rows = given.images, unseen.seen_rows(given, parts, pair)
    name = "-".join(given.classes[one] for one in pair)
    print(f"training an encoder that never sees {' and '.join(given.classes[one] for one in pair)}")
    inner = ResidualEncoder(words.shape[1], features=config.features)
    tower: nn.Module = PictureEncoder(inner, side=images.shape[1], color=images.ndim == 4)

    def augment(key: jax.Array, first: jax.Array, second: jax.Array) -> tuple[jax.Array, jax.Array]:
        flip_key, shift_key = jax.random.split(key)
        pictures = first if first.ndim == 4 else first[..., None]
        moved = shift_crop(shift_key, flip(flip_key, pictures.astype(jnp.float32)), padding=PADDING)
        return moved, second

    training = two_views.start(
        jax.random.key(config.common.seed),
        (tower, Given()),
        losses.ranking(margin=config.margin),
        (images[rows], words[given.labels[rows]]),
        config.options,
        labels=given.labels[rows],
        augment=augment,
    )
    fitted = harness.run(config.common, training, config.common.out / name)
    mapped = np.full((len(images), words.shape[1]), np.nan, np.float32)
    told = np.concatenate([unseen.compared(rows), parts.judged])
    with phase("mapping pictures to words"):
        mapped[told] = two_views.encode(fitted.model, images[told], side="first")
    return mapped


def report_pairs(
    config: Config, classes: tuple[str, ...], mapped: dict[Pair, Told]
) -> dict[str, float]:
    """Writes pairs.csv, and prints means and extremes."""
    rows = [
        (classes[a], classes[b], f"{told.accuracy:.4f}", f"{told.novelty:.4f}")
        for (a, b), told in mapped.items()
    ]
    write_csv(config.common.out / "pairs.csv", ("first", "second", "accuracy", "novelty"), rows)
    kinds = [(classes[a] in VEHICLES) + (classes[b] in VEHICLES) for a, b in mapped]
    rates = np.array([told.accuracy for told in mapped.values()])
    figures: dict[str, float] = {
        "pairs": len(rates),
        "mean": float(rates.mean()),
        "novelty": float(np.mean([told.novelty for told in mapped.values()])),
    }
    print(f"which of two classes never seen, by vectors learned without labels: {rates.mean():.1%}")
    if set(VEHICLES) <= set(classes):
        for kind, name in enumerate(("animals", "animal_vehicle", "vehicles")):
            figures[name] = float(rates[np.array(kinds) == kind].mean())
        print(
            f"  an animal and a vehicle {figures['animal_vehicle']:.1%}, two animals "
            f"{figures['animals']:.1%}, two vehicles {figures['vehicles']:.1%}"
        )
    order = np.argsort(-rates, kind="stable")
    for what, some in (("best", order[:3]), ("worst", order[::-1][:3])):
        told = (f"{rows[at][0]} and {rows[at][1]} {rates[at]:.1%}" for at in some)
        print(f"  {what}: {', '.join(told)}")
    return figures


def report_own(
    config: Config,
    classes: tuple[str, ...],
    mapped: dict[Pair, Told],
    trained: dict[Pair, Told],
) -> dict[str, float]:
    """Prints the pairs that have an encoder of their own, and writes table.md."""
    figures: dict[str, float] = {}
    lines = []
    for pair, own in trained.items():
        name = " and ".join(classes[one] for one in pair)
        shared = mapped[pair]
        cells = (shared.accuracy, own.accuracy, shared.novelty, own.novelty)
        lines.append((name, *(f"{100 * one:.1f}" for one in cells)))
        key = name.replace(" and ", "_")
        figures |= {f"{key}_own": own.accuracy, f"{key}_own_novelty": own.novelty}
    header = ("unseen", "without labels %", "own encoder %", "novelty AUC %", "own encoder %")
    table = markdown(header, lines, figures=True)
    print("\n".join(table))
    with replacing(config.common.out / "table.md") as file:
        file.write_text("\n".join(table) + "\n")
    return figures


def draw(config: Config, mapped: dict[Pair, Told], trained: dict[Pair, Told]) -> None:
    """Draws what is right as more pictures are called unseen."""
    from jaxemb.plots.lines import Line, write_lines  # Matplotlib loads slowly

    lines = []
    for how, told in (("without labels", mapped), ("own encoder", trained)):
        if told:
            curves = np.stack([one.curve for one in told.values()])
            for column, kind in ((1, "seen classes"), (2, "unseen classes")):
                lines.append(Line(f"{kind}, {how}", curves[0, :, 0], curves[:, :, column]))
    write_lines(
        config.common.out / "novelty.png",
        lines,
        x="share of test pictures called unseen",
        y="share put to the right class",
        title="Seen or unseen? Means of pairs of unseen classes, least and most",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
