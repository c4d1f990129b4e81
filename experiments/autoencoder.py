"""Autoencoders: a map by the narrowest layer, and images given back (README row autoencoder)."""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from scipy.linalg import subspace_angles

from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods import autoencoder as training
from jaxemb.models.autoencoder import ConvAutoencoder, DenseAutoencoder
from jaxemb.sampling.corruption import Kind, corrupt

from .harness import command, run_folder
from .harness.maps import before_projection as projection

# Images in the picture, one of each class where there are classes, and points that judge.
SHOWN = 10
JUDGED = 10_000
# Points of the curve of the loss, about.
DRAWN = 60


@dataclasses.dataclass(frozen=True)
class Config(projection.Config):
    """Trains an autoencoder and maps points by their codes; the defaults need no data.

    Writes embedding.npy, map.png, map.html, loss.png, metrics.jsonl, summary.json, checkpoints/
    and, of images, reconstructions.png to --out. --dim is the width of the codes. A linear one is
    trained too, to see that it finds the subspace of PCA. The same command again goes on where it
    was stopped.
    """

    model: Literal["dense", "conv", "linear"] = "dense"
    """conv is for images."""
    hidden: tuple[int, ...] = (512, 128)
    """Widths of the layers before the code: dense."""
    features: tuple[int, ...] = (32, 64)
    """Channels, each of which halves the sides of an image: conv."""
    noise: float = 0.0
    """Of a denoising autoencoder: on what goes in, in standard deviations of the data."""
    noise_kind: Kind = "gaussian"
    """masking sets numbers to their mean, and --noise is their share."""
    iterations: int = 10_000
    """Steps of the training."""
    batch: int = 256
    """Points a step."""
    learning_rate: float = 1e-3
    """At the start; it falls to 0 along a cosine."""
    linear_iterations: int = 5000
    """Steps of the linear one; 0 leaves it out."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0: at the end only."""
    out: Path = Path("runs/autoencoder")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        for name in ("iterations", "batch"):
            command.check_field(self, name, at_least=1)
        for name in ("linear_iterations", "checkpoint_every"):
            command.check_field(self, name, at_least=0)
        command.check_field(self, "learning_rate", above=0, at_most=10)
        most = 1 if self.noise_kind == "masking" else 1000
        command.check_field(self, "noise", at_least=0, at_most=most)
        for name, widths in (("hidden", self.hidden), ("features", self.features)):
            if min(widths, default=1) < 1:
                raise InputError(f"--{name} must be widths of at least 1, found {min(widths)}")


def run(config: Config) -> None:
    """Trains, maps and draws."""
    points = projection.prepare(config, check=lambda points: check_images(config, points))
    if points is None:
        return
    values = points.values
    began = time.perf_counter()
    module = make(config, points)
    fitted = fit(config, module, values)
    for complaint in fitted.rejected:
        print(complaint, file=sys.stderr)
    projection.stop_if_asked(fitted.stopped_because)
    embedding = training.encode(module, fitted, values)
    seconds = time.perf_counter() - began
    principal = pca.fit(jnp.asarray(values), components=min(config.dim, *values.shape))
    figures: dict[str, object] = {
        "seconds": seconds,
        "iterations": config.iterations,
        **judge(config, module, fitted, principal, values),
        "stopped_because": fitted.stopped_because,
    }
    if config.linear_iterations and config.dim < min(values.shape):
        figures |= compare_linear(config, values, principal)
    if points.images is not None:
        draw_images(config, points, module, fitted, principal)
    draw_loss(config)
    title = f"{config.model} autoencoder" + (f", noise {config.noise:g}" if config.noise else "")
    projection.write(config, points, embedding, figures, title=title)


def check_images(config: Config, points: Points) -> None:
    """Refuses to convolve what is no image.

    Raises:
      InputError: naming the flag.
    """
    if config.model == "conv" and points.images is None:
        raise InputError(f"--model conv is for images, and {config.data} has none; take dense")


def make(config: Config, points: Points) -> nn.Module:
    """Returns the network."""
    if config.model == "conv":
        assert points.images is not None
        return ConvAutoencoder(points.images.shape[1:], config.dim, features=config.features)
    hidden = config.hidden if config.model == "dense" else ()
    return DenseAutoencoder(points.values.shape[1], config.dim, hidden=hidden)


def fit(config: Config, module: nn.Module, values: np.ndarray) -> training.Fitted:
    """Trains, with a progress bar and a line of metrics for each report."""
    with run_folder.recorded(config.out, steps=config.iterations) as report:
        return training.fit(
            jax.random.key(config.seed),
            module,
            values,
            iterations=config.iterations,
            batch=config.batch,
            learning_rate=config.learning_rate,
            noise=config.noise,
            kind=config.noise_kind,
            checkpoints=config.out / "checkpoints",
            checkpoint_every=config.checkpoint_every,
            report=report,
        )


def unexplained(values: np.ndarray, given_back: np.ndarray) -> float:
    """Returns the squared error as a share of the variance."""
    spread = np.square(values - values.mean(axis=0, dtype=np.float64)).sum()
    return float(np.square(values.astype(np.float64) - given_back).sum() / spread)


def damaged(config: Config, fitted: training.Fitted, values: np.ndarray) -> np.ndarray:
    """Returns points with the noise of the training, drawn anew; without any, the points."""
    if not config.noise:
        return values
    key = jax.random.fold_in(jax.random.key(config.seed), config.iterations)
    standard = jnp.asarray((values - fitted.mean) / fitted.scale, jnp.float32)
    noisy = corrupt(key, standard, amount=config.noise, kind=config.noise_kind)
    return (np.asarray(noisy) * fitted.scale + fitted.mean).astype(np.float32)


def judge(
    config: Config,
    module: nn.Module,
    fitted: training.Fitted,
    principal: pca.PCA,
    values: np.ndarray,
) -> dict[str, float]:
    """Measures what is lost on the way through the code, beside PCA of the same width."""
    values = values[:: max(1, len(values) // JUDGED)]
    given = damaged(config, fitted, values)
    back = pca.inverse(principal, pca.transform(principal, jnp.asarray(given)))
    figures = {
        "unexplained": unexplained(values, training.reconstruct(module, fitted, given)),
        "unexplained_by_pca": unexplained(values, np.asarray(back)),
    }
    told = f"codes of {config.dim} leave {figures['unexplained']:.1%} of the variance unexplained"
    told += f", PCA of the same width {figures['unexplained_by_pca']:.1%}"
    if config.noise:
        figures["unexplained_by_noisy"] = unexplained(values, given)
        told += f"; the noise that went in is {figures['unexplained_by_noisy']:.1%}"
    print(told)
    return figures


def compare_linear(config: Config, values: np.ndarray, principal: pca.PCA) -> dict[str, float]:
    """Trains a linear autoencoder and measures the angles between its subspace and PCA's."""
    module = DenseAutoencoder(values.shape[1], config.dim, hidden=())
    fitted = training.fit(
        jax.random.key(config.seed),
        module,
        values,
        iterations=config.linear_iterations,
        batch=config.batch,
        learning_rate=0.01,
    )
    projection.stop_if_asked(fitted.stopped_because)
    kernel = np.asarray(fitted.params["params"]["decoder_0"]["kernel"], np.float64)
    angles = np.degrees(subspace_angles(kernel.T, np.asarray(principal.directions, np.float64)))
    lost = unexplained(values, training.reconstruct(module, fitted, values))
    print(
        f"a linear one finds the subspace of PCA to {angles.max():.2f} degrees, the largest of "
        f"{len(angles)} principal angles, and leaves {lost:.1%} unexplained"
    )
    return {"linear_pca_angle_degrees": float(angles.max()), "linear_unexplained": lost}


def draw_images(
    config: Config,
    points: Points,
    module: nn.Module,
    fitted: training.Fitted,
    principal: pca.PCA,
) -> None:
    """Draws images and what becomes of them, a row for each way."""
    from jaxemb.plots.image_rows import write_rows

    assert points.images is not None
    ids = choose(points)
    values = points.values[ids]
    given = damaged(config, fitted, values)
    scores = pca.transform(principal, jnp.asarray(given))
    rows = {"image": values}
    if config.noise:
        rows["what goes in"] = given
    rows[f"{config.model}, {config.dim} numbers"] = training.reconstruct(module, fitted, given)
    rows[f"PCA, {config.dim} numbers"] = np.asarray(pca.inverse(principal, scores))
    shape = points.images.shape[1:]
    write_rows(
        config.out / "reconstructions.png",
        {name: row.reshape(-1, *shape) for name, row in rows.items()},
        title=f"{Path(config.data).stem}: images given back",
    )


def choose(points: Points) -> np.ndarray:
    """Returns the first point of each class, up to ten; without classes, of all."""
    if points.labels is None:
        return np.arange(min(SHOWN, len(points.values)))
    return np.unique(points.labels, return_index=True)[1][:SHOWN]


def draw_loss(config: Config) -> None:
    """Draws how the loss fell."""
    from jaxemb.plots.lines import Line, write_lines

    lines = [json.loads(line) for line in (config.out / "metrics.jsonl").read_text().splitlines()]
    steps, losses = (np.array([line[name] for line in lines]) for name in ("step", "loss"))
    # Means of some calls, where all are too many to be told apart.
    pieces = DRAWN if len(lines) > 2 * DRAWN else len(lines)
    steps, losses = (
        np.array([piece.mean() for piece in np.array_split(part, pieces)])
        for part in (steps, losses)
    )
    write_lines(
        config.out / "loss.png",
        [Line("loss", steps, losses)],
        x="step",
        y="unexplained share of the variance",
        title=f"{Path(config.data).stem}: {config.model} autoencoder",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
