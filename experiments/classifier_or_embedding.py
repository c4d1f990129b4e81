"""When does an embedding beat a classifier?

    python -m experiments.classifier_or_embedding

Two cores of an AMD EPYC (Zen 4), 8.0 minutes: accuracy with 100 classes: trained anew 77.5%, the
embedding 81.5%.
"""

import dataclasses
import functools
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.sets import omniglot
from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery
from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
from jaxemb.losses.terms import Terms
from jaxemb.methods import classifier, matching
from jaxemb.models import output_layer
from jaxemb.models.encoders import ConvEncoder
from jaxemb.sampling.balanced import BalancedBatches
from jaxemb.training import network
from jaxemb.training.run import Run

from .harness import command, run_folder
from .harness.matching import new_characters
from .harness.matching import training as harness
from .harness.matching.new_characters import Changes, Characters, rewritten

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "accuracy with 100 classes: trained anew {classifier_accuracy_classes_100:.1%}, the "
    "embedding {embedding_accuracy_classes_100:.1%}"
)

TITLES = {
    "classifier": "classifier trained anew",
    "tuned": "classifier from the encoder",
    "embedding": "embedding and distance",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Recognizes handwritten characters in three ways, as classes and samples change.

    An encoder is trained once, on the characters of Omniglot's first small set. Then characters of
    other alphabets are to be recognized: by a classifier trained on them, from random weights or
    from the encoder's, or by enrolling them in a gallery, which trains nothing. Judged on drawers
    never seen: as classes grow, as samples of a class shrink, and as new classes arrive daily; then
    the first classifier is trained anew every day, the second goes on from yesterday's. Writes
    accuracy and seconds as classes_*.png, samples_*.png and day_*.png, metrics.jsonl and
    checkpoints/ of the encoder, and summary.json to --out. The same command again goes on where it
    was stopped.
    """

    classes: tuple[int, ...] = (5, 10, 20, 50, 100)
    """Numbers of classes compared."""
    shots: tuple[int, ...] = (1, 2, 5, 10)
    """Numbers of samples of a class compared, at --at-classes classes."""
    at_classes: int = 50
    """Classes where the number of samples changes."""
    at_shots: int = 5
    """Samples of a class where the number of classes changes."""
    days: int = 10
    """Days on which classes arrive."""
    daily: int = 10
    """Classes that arrive each day."""
    passes: int = 100
    """Times that a classifier from random weights sees its samples."""
    least_steps: int = 200
    """Steps that it takes at least; it takes these, or a power of two times as many, for each
    number is compiled anew."""
    tuned_share: float = 0.5
    """Steps of a classifier from other weights, as a share of these."""
    batch: int = 64
    """Samples in a step of a classifier."""
    output_scale: float = 16.0
    """Factor of the classifiers' products, for a confident softmax of vectors of length 1."""
    features: tuple[int, ...] = (32, 32, 64)
    """Channels of the encoder's blocks."""
    dim: int = 64
    """Width of the embedding."""
    temperature: float = 0.1
    """Of the encoder's supervised contrastive loss."""
    changes: Changes = Changes()
    options: matching.Options = matching.Options(learning_rate=3e-3)
    common: command.Common = command.Common(out=Path("runs/classifier_or_embedding"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("at_shots", "days", "daily", "passes", "least_steps", "batch", "dim"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "at_classes", at_least=2)
        checks.check_field(self, "tuned_share", above=0, at_most=1)
        checks.check_field(self, "output_scale", above=0, at_most=1e6)
        checks.check_field(self, "temperature", above=0, at_most=100)
        for name, least in (("classes", 2), ("shots", 1)):
            numbers = getattr(self, name)
            if min(numbers, default=0) < least:
                raise InputError(f"{name} must be numbers of at least {least}, found {numbers}")
        harness.check_features(self.features)


# What the test of this script runs.
SMOKE = Config(
    classes=(6,),
    shots=(1,),
    at_classes=4,
    at_shots=2,
    days=2,
    daily=3,
    passes=1,
    least_steps=25,
    tuned_share=1.0,
    batch=12,
    features=(8,),
    dim=8,
    options=matching.Options(iterations=40, identities=8, learning_rate=0.01, parts=1),
)


class Point(NamedTuple):
    """Where the ways are compared."""

    x: int
    classes: int  # of the new characters, the first
    shots: int  # samples of each, the first


class Result(NamedTuple):
    """How new characters were recognized."""

    accuracy: float
    seconds: float  # until the first could be asked; compilation aside


def run(config: Config) -> None:
    """Trains the encoder, then answers the three questions."""
    command.use_cache()
    data = new_characters.read(
        config.common.data_dir,
        seed=config.common.seed,
        classes=max(*config.classes, config.at_classes, config.days * config.daily),
        samples=max(*config.shots, config.at_shots),
    )
    key = harness.keys(config, 4)[1]
    drawn = BalancedBatches(
        key, data.labels, identities=config.options.identities, samples=config.options.samples
    )
    if not harness.open_run(config, [config.common.data_dir / omniglot.FILE]):
        return
    module = ConvEncoder(config.dim, features=config.features)
    fitted = train_encoder(config, module, data, drawn)
    encoder, seconds = fitted.model.variables, fitted.history.seconds
    print(f"the encoder learned {data.labels.max() + 1:,} other classes in {seconds:.0f} s")
    print(f"a class takes {config.dim + 1} numbers as an output, {config.dim} in the gallery")
    figures: dict[str, object] = {"encoder_seconds": seconds}
    series = {
        "classes": [Point(n, n, config.at_shots) for n in sorted(config.classes)],
        "samples": [Point(n, config.at_classes, n) for n in sorted(config.shots)],
        "day": [Point(d, d * config.daily, config.at_shots) for d in range(1, config.days + 1)],
    }
    for name, points in series.items():
        figures |= compare(config, module, encoder, data, points, name=name, daily=name == "day")
    run_folder.finish(config.common.out, figures)


def train_encoder(
    config: Config, module: ConvEncoder, data: Characters, drawn: BalancedBatches
) -> matching.Fitted:
    """Trains the encoder on characters that are not those to be recognized."""

    def batches(start: int, stop: int) -> Any:
        rows = drawn.batches(start, stop)
        return data.images[rows], data.labels[rows]

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        return supervised_contrastive_loss(vectors, labels, temperature=config.temperature)

    training = matching.start_on(
        jax.random.key(config.common.seed),
        network.initial(module, harness.keys(config, 4)[0], data.images[:1]),
        lambda params, images: jnp.asarray(module.apply(params, images)),
        terms,
        batches,
        config.options,
        draw=lambda key, batch: (rewritten(config.changes, key, batch[0]), key, batch[1]),
        finish=lambda params: matching.Fitted(matching.Model(module, params), {}, config.options),
        chance_loss=math.log(config.options.identities * config.options.samples),
    )
    return harness.run(config.common, training)


def classify(
    config: Config, module: ConvEncoder, params: Any, data: Characters, point: Point, share: float
) -> tuple[Result, Any]:
    """Trains a classifier of new characters from these parameters, with a share of the steps.

    Returns:
      How well it recognizes them, and its parameters.
    """
    images = data.samples[: point.classes, : point.shots].reshape(-1, *data.images.shape[1:])
    needed = config.passes * len(images) / config.batch / config.least_steps
    steps = config.least_steps * 2 ** math.ceil(math.log2(max(1.0, needed)))
    model, _, history = classifier.fit(
        harness.keys(config, 4)[2],
        module,
        images,
        np.repeat(np.arange(point.classes, dtype=np.int32), point.shots),
        classifier.Options(
            iterations=math.ceil(share * steps),
            batch=config.batch,
            learning_rate=config.options.learning_rate,
            scale=config.output_scale,
        ),
        classes=point.classes,
        augment=functools.partial(rewritten, config.changes),
        params=params,
        run=Run(progress=False),
    )
    run_folder.stop_if_asked(history)
    asked = data.asked[: point.classes].reshape(-1, *images.shape[1:])
    right = classifier.predict(model, asked).reshape(point.classes, -1)
    accuracy = (right == np.arange(point.classes)[:, None]).mean()
    return Result(float(accuracy), history.seconds), model.params


def enroll(
    gallery: Gallery, apply: Callable[..., Any], data: Characters, classes: range, shots: int
) -> float:
    """Adds new characters to a gallery, each as the mean of its samples; returns the seconds."""
    began = time.perf_counter()
    images = data.samples[classes.start : classes.stop, :shots]
    vectors = network.in_blocks(apply, images.reshape(-1, *images.shape[2:]))
    means = vectors.reshape(len(classes), shots, -1).mean(axis=1)
    for number, mean in zip(classes, means, strict=True):
        gallery.enroll(str(number), mean[None])
    return time.perf_counter() - began


def ask(gallery: Gallery, apply: Callable[..., Any], data: Characters, classes: int) -> float:
    """Returns the share of the new characters that are recognized."""
    asked = data.asked[:classes]
    vectors = network.in_blocks(apply, asked.reshape(-1, *asked.shape[2:]))
    names = np.array([int(who.nearest) for who in gallery.look_up(vectors)])
    return float((names.reshape(classes, -1) == np.arange(classes)[:, None]).mean())


def compare(
    config: Config,
    module: ConvEncoder,
    encoder: Any,
    data: Characters,
    points: Sequence[Point],
    *,
    name: str,
    daily: bool = False,
) -> dict[str, float]:
    """Recognizes new characters in the three ways, point by point.

    Args:
      config: the experiment's.
      module: of the encoder.
      encoder: its parameters.
      data: the characters.
      points: where to compare, in this order.
      name: what changes from point to point; of the figures and the picture.
      daily: whether the second classifier and the gallery go on from the point before.
    """
    apply = functools.partial(network.compiled(module), encoder)
    empty = functools.partial(Gallery, width=config.dim, threshold=math.inf)
    # Room for all classes to come.
    output = output_layer.init(dim=config.dim, classes=len(data.samples))
    fresh = {
        "encoder": network.initial(module, harness.keys(config, 4)[3], data.images[:1]),
        "output": output,
    }
    start, gallery = {"encoder": encoder, "output": output}, empty()
    results: dict[str, list[Result]] = {way: [] for way in TITLES}
    print(f"\n{name:>8}  {'  '.join(f'{title:>30}' for title in TITLES.values())}")
    for point in points:
        anew, _ = classify(config, module, fresh, data, point, 1.0)
        tuned, params = classify(config, module, start, data, point, config.tuned_share)
        if daily:
            start = params
        else:
            gallery = empty()
        arrived = range(len(gallery.names), point.classes)
        enroll(empty(), apply, data, arrived, point.shots)  # compiles
        took = enroll(gallery, apply, data, arrived, point.shots)
        enrolled = Result(ask(gallery, apply, data, point.classes), took)
        for way, result in zip(TITLES, (anew, tuned, enrolled), strict=True):
            results[way].append(result)
        last = [found[-1] for found in results.values()]
        cells = [f"{accuracy:.1%} {seconds:9.3f} s" for accuracy, seconds in last]
        print(f"{point.x:>8}  {'  '.join(f'{cell:>30}' for cell in cells)}")
    draw(config, points, results, name)
    return {
        f"{way}_{field}_{name}_{point.x}": getattr(result, field)
        for way, found in results.items()
        for point, result in zip(points, found, strict=True)
        for field in Result._fields
    }


def draw(
    config: Config, points: Sequence[Point], results: dict[str, list[Result]], name: str
) -> None:
    """Draws accuracy and seconds, a line for each way."""
    from jaxemb.plots.lines import Line, write_lines

    places, last = np.array([point.x for point in points]), points[-1]
    title = {
        "classes": f"{last.shots} samples of each class",
        "samples": f"{last.classes} classes, fewer or more samples of each",
        "day": f"{config.daily} new classes a day, {last.shots} samples of each",
    }[name]
    for field, y in (("accuracy", "share recognised"), ("seconds", "seconds until ready")):
        lines = [
            Line(TITLES[way], places, np.array([getattr(result, field) for result in found]))
            for way, found in results.items()
        ]
        path = config.common.out / f"{name}_{field}.png"
        write_lines(path, lines, x=name, y=y, title=title, log_x=name != "day")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
