"""A network that maps points by t-SNE, alone or with other losses (README row parametric_tsne)."""

import dataclasses
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.methods import autoencoder
from jaxemb.methods import parametric_tsne as training
from jaxemb.methods.tsne.affinities import affinities_of, check_perplexity
from jaxemb.methods.tsne.step import divergence
from jaxemb.models.autoencoder import DenseAutoencoder
from jaxemb.projections.repulsion import exact_repulsion
from jaxemb.training import before_loop as loop

from .harness import command, run_folder
from .harness.maps import before_projection as projection


@dataclasses.dataclass(frozen=True)
class Config(projection.Config):
    """Trains an encoder on t-SNE's objective; the defaults need no data.

    Some points are held out: the network places them afterwards without having seen them. Writes
    embedding.npy (all points), map.png, map.html, held_out.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    perplexity: float = 30.0
    """How many neighbors a point sees."""
    iterations: int = 5000
    """Steps."""
    batch: int = 1024
    """Points a step, and a neighbor of each."""
    learning_rate: float = 1e-3
    """Of Adam, at the start; it falls to 0 along a cosine."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the layers between the points and the map."""
    kl: float = 1.0
    """Weight of t-SNE's divergence, in nats."""
    triplet: float = 0.0
    """Weight of the triplets of points whose class is told, in squared units of the map."""
    reconstruction: float = 0.0
    """Weight of the decoder's error, as a share of the points' variance."""
    margin: float = 10.0
    """Of the triplets, in squared units of the map."""
    told: float = 0.1
    """Share of the points whose class is told, for the triplets."""
    held_out: float = 0.2
    """Share of the points that training never sees."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0: at the end only."""
    out: Path = Path("runs/parametric_tsne")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "dim", at_least=1, at_most=3)
        command.check_field(self, "iterations", at_least=1)
        command.check_field(self, "batch", at_least=2)
        command.check_field(self, "checkpoint_every", at_least=0)
        command.check_field(self, "learning_rate", above=0, at_most=10)
        for name in ("kl", "triplet", "reconstruction", "margin"):
            command.check_field(self, name, at_least=0, at_most=1e6)
        command.check_field(self, "told", at_least=0, at_most=1)
        command.check_field(self, "held_out", at_least=0, at_most=0.9)
        if not all(width >= 1 for width in self.hidden):
            raise InputError(f"--hidden must be at least 1 each, found {self.hidden}")
        if not (self.kl or self.triplet or self.reconstruction):
            raise InputError("one of --kl, --triplet and --reconstruction must be more than 0")


def run(config: Config) -> None:
    """Trains on some points, maps all, judges and draws."""
    points = projection.prepare(config, check=lambda points: check(config, points))
    if points is None:
        return
    size = len(points.values)
    order = np.random.default_rng(config.seed).permutation(size)
    held_out, seen = np.split(order, [round(size * config.held_out)])
    seen = np.sort(seen)
    labels = None
    if points.labels is not None:
        is_told = np.random.default_rng([config.seed, 1]).random(len(seen)) < config.told
        labels = np.where(is_told, points.labels[seen], -1)

    model = DenseAutoencoder(points.values.shape[1], config.dim, config.hidden)
    fitted, seconds = train(config, model, points.values[seen], labels)
    embedding = autoencoder.encode(model, fitted, points.values)
    figures: dict[str, object] = {
        "seconds": seconds,
        "iterations": config.iterations,
        "stopped_because": fitted.stopped_because,
        "kl": true_kl(config, points.values[seen], embedding[seen]),
    }
    print(f"KL {figures['kl']:.4f} of the {len(seen):,} points trained on, over all their pairs")
    if config.reconstruction:
        error = points.values - autoencoder.reconstruct(model, fitted, points.values)
        spread = points.values - points.values.mean(axis=0, keepdims=True)
        figures["reconstruction_error"] = float(np.square(error).sum() / np.square(spread).sum())
    if len(held_out):
        figures |= projection.score_held_out(points, embedding, seen, held_out)
    title = "a network trained on " + " + ".join(
        name for name in training.Weights._fields if getattr(config, name)
    )
    if len(held_out) and config.dim <= 3:
        from jaxemb.plots import scatter

        told = None if points.labels is None else points.labels[held_out]
        scatter.write_map(
            config.out / "held_out.png",
            embedding[held_out],
            labels=told,
            classes=points.classes,
            title=f"{len(held_out):,} points that it never saw",
        )
    projection.write(config, points, embedding, figures, title=title)


def check(config: Config, points: Points) -> None:
    """Refuses points that cannot be mapped as asked."""
    if config.triplet and points.labels is None:
        raise InputError("--triplet needs labels; give --labels FILE, or set it to 0")
    check_perplexity(
        config.perplexity, len(points.values) - round(len(points.values) * config.held_out)
    )


def train(
    config: Config, model: DenseAutoencoder, values: np.ndarray, labels: np.ndarray | None
) -> tuple[autoencoder.Fitted, float]:
    """Returns the trained network and the seconds of the loop."""
    seconds = 0.0
    with run_folder.recorded(config.out, steps=config.iterations) as record:

        def report(done: int, metrics: loop.Metrics, so_far: float) -> None:
            nonlocal seconds
            seconds = so_far
            record(done, metrics, so_far)

        fitted = training.fit(
            jax.random.key(config.seed),
            model,
            values,
            labels,
            perplexity=config.perplexity,
            weights=training.Weights(config.kl, config.triplet, config.reconstruction),
            margin=config.margin,
            iterations=config.iterations,
            batch=config.batch,
            learning_rate=config.learning_rate,
            checkpoints=config.out / "checkpoints",
            checkpoint_every=config.checkpoint_every,
            report=report,
        )
    projection.stop_if_asked(fitted.stopped_because)
    return fitted, seconds


def true_kl(config: Config, values: np.ndarray, embedding: np.ndarray) -> float:
    """Returns the KL of a map, over all pairs."""
    graph = affinities_of(values, perplexity=config.perplexity).graph
    positions = jnp.asarray(embedding)[graph.order]
    return float(divergence(positions, graph, exact_repulsion(positions).normalizer))


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
