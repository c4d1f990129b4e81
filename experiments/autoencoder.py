"""Autoencoders: a map by the narrowest layer, and images given back.

    python -m experiments.autoencoder

Two busy cores of an AMD EPYC, 1.8 minutes: 10-NN accuracy 0.945; a linear one is 0.04 degrees from
PCA.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import subspace_angles

from jaxemb import checks
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.methods import autoencoder, pca
from jaxemb.sampling.corruption import corrupt
from jaxemb.training.run import Run

from .harness import command, run_folder
from .harness.maps import projection

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "10-NN accuracy {knn_accuracy:.3f}; a linear one is {linear_pca_angle_degrees:.2f} "
    "degrees from PCA"
)

# Images in the picture, one of each class where there are classes, and points that judge.
SHOWN = 10
JUDGED = 10_000
# Points of the curve of the loss, about.
DRAWN = 60


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains an autoencoder and maps points by their codes; the defaults need no data.

    Writes embedding.npy, map.png, map.html, loss.png, metrics.jsonl, summary.json, checkpoints/
    and, of images, reconstructions.png to --out. --dim is the width of the codes. A linear one is
    trained too, to see that it finds the subspace of PCA. The same command again goes on where it
    was stopped.
    """

    linear_iterations: int = 5000
    """Steps of the linear one; 0 leaves it out."""
    options: autoencoder.Options = autoencoder.Options()
    points: projection.PointFlags = projection.PointFlags()
    common: command.Common = command.Common(out=Path("runs/autoencoder"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "linear_iterations", at_least=0)


SMOKE = Config(
    linear_iterations=4000,
    options=autoencoder.Options(iterations=200, batch=64, hidden=(32,), learning_rate=0.01),
    points=projection.PointFlags(n=300),
)


def run(config: Config) -> None:
    """Trains, maps and draws."""
    points = projection.prepare(
        config, dim=config.options.dim, check=lambda points: check_images(config, points)
    )
    if points is None:
        return
    options, common = config.options, config.common
    given = points.values
    if options.model == "conv" and points.images is not None:
        given = given.reshape(points.images.shape)
    began = time.perf_counter()
    fitted = autoencoder.fit(common.seed, given, options, run=run_folder.engine_run(common))
    run_folder.stop_if_asked(fitted.history)
    embedding = autoencoder.encode(fitted.model, points.values)
    seconds = time.perf_counter() - began
    width = min(options.dim, *points.values.shape)
    principal = pca.fit(points.values, pca.Options(components=width))
    figures: dict[str, object] = {
        "seconds": seconds,
        "iterations": options.iterations,
        **evaluate(config, fitted, principal, points.values),
        "stopped_because": fitted.history.stopped_because,
    }
    if config.linear_iterations and options.dim < min(points.values.shape):
        figures |= compare_linear(config, points.values, principal)
    if points.images is not None:
        draw_images(config, points, fitted, principal)
    draw_loss(config)
    title = f"{config.points.name}: {options.model} autoencoder"
    title += f", noise {options.noise:g}" if options.noise else ""
    projection.write(common.out, points, embedding, figures, title=title)


def check_images(config: Config, points: Points) -> None:
    """Refuses to convolve what is no image.

    Raises:
      InputError: naming the flag.
    """
    if config.options.model == "conv" and points.images is None:
        raise InputError(f"model conv is for images, and {config.points.data} has none; take dense")


def unexplained(values: np.ndarray, given_back: np.ndarray) -> float:
    """Returns the squared error as a share of the variance."""
    spread = np.square(values - values.mean(axis=0, dtype=np.float64)).sum()
    return float(np.square(values.astype(np.float64) - given_back).sum() / spread)


def damaged(config: Config, fitted: autoencoder.Fitted, values: np.ndarray) -> np.ndarray:
    """Returns points with the noise of the training, drawn anew; without any, the points."""
    options, (_, _, mean, scale) = config.options, fitted.model
    if not options.noise:
        return values
    key = jax.random.fold_in(jax.random.key(config.common.seed), options.iterations)
    standard = jnp.asarray((values - mean) / scale, jnp.float32)
    noisy = corrupt(key, standard, amount=options.noise, kind=options.noise_kind)
    return (np.asarray(noisy) * scale + mean).astype(np.float32)


def evaluate(
    config: Config, fitted: autoencoder.Fitted, principal: pca.Fitted, values: np.ndarray
) -> dict[str, float]:
    """Measures what is lost on the way through the code, beside PCA of the same width."""
    values = values[:: max(1, len(values) // JUDGED)]
    given = damaged(config, fitted, values)
    back = pca.inverse(principal, pca.transform(principal, given))
    figures = {
        "unexplained": unexplained(values, autoencoder.reconstruct(fitted.model, given)),
        "unexplained_by_pca": unexplained(values, back),
    }
    line = (
        f"codes of {config.options.dim} leave {figures['unexplained']:.1%} of the variance "
        f"unexplained, PCA of the same width {figures['unexplained_by_pca']:.1%}"
    )
    if config.options.noise:
        figures["unexplained_by_noisy"] = unexplained(values, given)
        line += f"; the noise that went in is {figures['unexplained_by_noisy']:.1%}"
    print(line)
    return figures


def compare_linear(config: Config, values: np.ndarray, principal: pca.Fitted) -> dict[str, float]:
    """Trains a linear autoencoder and measures the angles between its subspace and PCA's."""
    options = autoencoder.Options(
        model="linear",
        dim=config.options.dim,
        iterations=config.linear_iterations,
        batch=config.options.batch,
        learning_rate=0.01,
    )
    fitted = autoencoder.fit(config.common.seed, values, options, run=Run(progress=True))
    run_folder.stop_if_asked(fitted.history, checkpoints=False)
    kernel = np.asarray(fitted.model.variables["params"]["decoder_0"]["kernel"], np.float64)
    directions = np.asarray(principal.pca.directions, np.float64)
    angles = np.degrees(subspace_angles(kernel.T, directions))
    lost = unexplained(values, autoencoder.reconstruct(fitted.model, values))
    print(
        f"a linear one finds the subspace of PCA to {angles.max():.2f} degrees, the largest of "
        f"{len(angles)} principal angles, and leaves {lost:.1%} unexplained"
    )
    return {"linear_pca_angle_degrees": float(angles.max()), "linear_unexplained": lost}


def draw_images(
    config: Config, points: Points, fitted: autoencoder.Fitted, principal: pca.Fitted
) -> None:
    """Draws images and what becomes of them, a row for each way."""
    from jaxemb.plots.image_rows import write_rows

    assert points.images is not None
    options = config.options
    values = points.values[choose(points)]
    given = damaged(config, fitted, values)
    rows = {"image": values}
    if options.noise:
        rows["what goes in"] = given
    rows[f"{options.model}, {options.dim} numbers"] = autoencoder.reconstruct(fitted.model, given)
    back = pca.inverse(principal, pca.transform(principal, given))
    rows[f"PCA, {options.dim} numbers"] = back
    shape = points.images.shape[1:]
    write_rows(
        config.common.out / "reconstructions.png",
        {name: row.reshape(-1, *shape) for name, row in rows.items()},
        title=f"{config.points.name}: images given back",
    )


def choose(points: Points) -> np.ndarray:
    """Returns the first point of each class, up to ten; without classes, of all."""
    if points.labels is None:
        return np.arange(min(SHOWN, len(points.values)))
    return np.unique(points.labels, return_index=True)[1][:SHOWN]


def draw_loss(config: Config) -> None:
    """Draws how the loss fell."""
    from jaxemb.plots.lines import Line, write_lines

    out = config.common.out
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps, losses = (np.array([line[name] for line in lines]) for name in ("step", "loss"))
    # Means of some calls, where all are too many to be told apart.
    pieces = DRAWN if len(lines) > 2 * DRAWN else len(lines)
    steps, losses = (
        np.array([piece.mean() for piece in np.array_split(part, pieces)])
        for part in (steps, losses)
    )
    write_lines(
        out / "loss.png",
        [Line("loss", steps, losses)],
        x="step",
        y="unexplained share of the variance",
        title=f"{config.points.name}: {config.options.model} autoencoder",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
