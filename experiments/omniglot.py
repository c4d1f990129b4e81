"""One-shot recognition of characters of alphabets never seen (README row omniglot)."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.framing import frame_ink, shrink
from jaxemb.data.sets import omniglot
from jaxemb.data.sets.omniglot import Omniglot
from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.methods.matching import objective
from jaxemb.models.encoders import ConvEncoder
from jaxemb.sampling import augment
from jaxemb.sampling.balanced import BalancedBatches
from jaxemb.training.before_network import in_blocks

from .harness import command, run_folder
from .harness.matching import handwriting, omniglot_scores
from .harness.matching import loss as matching_loss
from .harness.matching import training as matching
from .harness.matching.handwriting import TURNS, as_input, change
from .harness.matching.omniglot_scores import WAYS

# Pictures as the network sees them, and how many it embeds at a time, each in several views.
SIDE = 28
AT_A_TIME = 400

Embed = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Config(handwriting.Config):
    """Trains on the small background sets, judges on the official 20 runs of unseen alphabets.

    Writes neighbors.png, hardest.png (what is mistaken), images.png and map.html (characters never
    seen, by t-SNE), metrics.jsonl, summary.json and checkpoints/ to --out. With --held-out, to
    choose the other flags by, judges by episodes of those alphabets instead. The same command again
    goes on where it was stopped.
    """

    small_set: Literal["1", "2", "both"] = "both"
    """Which of the official small background sets to learn from."""
    held_out: tuple[str, ...] = ()
    """Alphabets not learnt from but judged: Korean and Tagalog, say."""
    extent: float = 4.2
    """Side of the square that is cut out around a character, in standard deviations of its ink; 0
    takes the whole picture as it was drawn."""
    features: tuple[int, ...] = (32, 64, 128)
    """Channels of each halving; multiples of 8."""
    views: int = 8
    """Changed copies of a picture, beside itself, whose embeddings are averaged when judging."""
    episodes: int = 1000
    """Of held-out alphabets."""
    temperature: float = 0.05
    """What cosines are divided by: supervised_contrastive, proxy_nca and cosface."""
    rotation: float = 20.0
    """Largest angle that a picture is turned by, in degrees."""
    dim: int = 128
    """Width of the embedding."""
    identities: int = 64
    """Characters in a batch."""
    samples: int = 2
    """Drawings of each in a batch."""
    iterations: int = 3000
    """Steps of the training."""
    learning_rate: float = 2e-3
    """Of Adam, at the start; it falls to 0 along a cosine."""
    out: Path = Path("runs/omniglot")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        # Less would cut the characters themselves.
        if self.extent:
            command.check_field(self, "extent", at_least=2, at_most=100)
        command.check_field(self, "views", at_least=0)
        command.check_field(self, "episodes", at_least=2)
        matching.check_features(self.features)
        if 2 ** len(self.features) > SIDE:
            raise InputError(
                f"--features: {len(self.features)} halvings leave nothing of {SIDE} pixels"
            )


def run(config: Config) -> None:
    """Trains, judges and draws."""
    command.use_cache()
    path = config.data_dir / omniglot.FILE
    data = omniglot.read(config.data_dir)
    learnt, held_out = divide(config, data)
    if not matching.open_run(config, [path]):
        return
    embed = train(config, frame(config, data.images[learnt]), data.characters[learnt])
    runs, _, *shape = data.test.shape
    if config.held_out:
        images, kinds, classes = data.images[held_out], data.alphabets[held_out], data.names
    else:
        images = np.concatenate([data.train, data.test], axis=1).reshape(-1, *shape)
        kinds = np.repeat(np.arange(runs), len(images) // runs)
        classes = tuple(f"run {number}" for number in range(1, 1 + runs))
    framed = frame(config, images)
    vectors = {
        "pixels": matching.flat(shrink(images, side=SIDE)),
        "framed pixels": matching.flat(framed),
        "embedding": embed(framed),
    }
    figures: dict[str, float] = {
        "iterations": config.iterations,
        "characters": len(np.unique(data.characters[learnt])),
    }
    if config.held_out:
        figures |= omniglot_scores.judge_held_out(
            jax.random.key(config.seed),
            data,
            held_out,
            vectors,
            names=config.held_out,
            episodes=config.episodes,
            picture=config.out / "neighbours.png",
        )
    else:
        figures |= omniglot_scores.judge_runs(data, vectors)
        omniglot_scores.draw_runs(config.out, data, vectors)
    matching.draw_map(
        config,
        vectors["embedding"],
        kinds,
        shrink(images, side=2 * SIDE),
        classes,
        title="characters of alphabets never seen",
    )
    run_folder.finish(config.out, figures)


def divide(config: Config, data: Omniglot) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows to learn from and rows of the alphabets held out.

    Raises:
      InputError: if an alphabet to hold out is unknown, or too little is left to learn from.
    """
    for name in config.held_out:
        if name not in data.names:
            raise InputError(f"--held-out {name} is none of {', '.join(data.names)}")
    first, second = data.small_sets
    chosen = {"1": first, "2": second, "both": first | second}[config.small_set]
    out = np.isin(np.array(data.names), config.held_out)[data.alphabets]
    left = len(np.unique(data.characters[chosen & ~out]))
    if config.held_out and len(np.unique(data.characters[out])) < WAYS:
        raise InputError(
            f"--held-out {' '.join(config.held_out)}: fewer than {WAYS} characters, which an "
            "episode needs; add an alphabet"
        )
    if TURNS * left < config.identities:
        raise InputError(
            f"--identities {config.identities} are more than the {left} characters left to learn "
            f"from, each in {TURNS} ways"
        )
    return np.flatnonzero(chosen & ~out), np.flatnonzero(out)


def frame(config: Config, images: np.ndarray) -> np.ndarray:
    """Returns pictures as the network sees them, [N, 28, 28]."""
    if not config.extent:
        return shrink(images, side=SIDE)
    return frame_ink(images, side=SIDE, extent=config.extent)


def train(config: Config, images: np.ndarray, characters: np.ndarray) -> Embed:
    """Returns the trained embedding: [N, 28, 28] uint8 -> [N, dim]."""
    encoder_key, loss_key, batch_key, view_key = matching.keys(config, 4)
    known, labels = np.unique(characters, return_inverse=True)
    # A character seen in another way is another class.
    ways = np.repeat(np.arange(TURNS), len(images))
    labels = np.tile(labels, TURNS) * TURNS + ways
    drawn = BalancedBatches(batch_key, labels, identities=config.identities, samples=config.samples)
    classes = TURNS * len(known)
    print(f"{len(images):,} drawings of {len(known)} characters, {classes:,} classes by turning")
    encoder = ConvEncoder(config.dim, config.features)

    def embed(params: Any, images: jax.Array) -> jax.Array:
        return jnp.asarray(encoder.apply(params["encoder"], images))

    def prepare(key: jax.Array, batch: Any) -> Any:
        images, ways, labels = batch
        change_key, mining_key = jax.random.split(key)
        turned = augment.turn(as_input(images), ways)
        return change(config, change_key, turned), (mining_key, labels)

    def batches(start: int, stop: int) -> Any:
        chosen = drawn.batches(start, stop)
        return images[chosen % len(images)], ways[chosen].astype(np.int32), labels[chosen]

    loss = matching_loss.make(config)
    trained = matching.train(
        config,
        {
            "encoder": jax.jit(encoder.init)(encoder_key, jnp.zeros((1, SIDE, SIDE, 1))),
            "centres": matching_loss.init(loss_key, config, classes),
        },
        objective(embed, lambda params, *rest: loss(params["centres"], *rest)),
        batches,
        prepare=prepare,
        first_loss=matching_loss.first_loss(config, classes),
    )

    @jax.jit
    def average(params: Any, images: jax.Array) -> jax.Array:
        plain = as_input(images)

        def add(view: jax.Array, total: jax.Array) -> jax.Array:
            key = jax.random.fold_in(view_key, view)
            # One change for all pictures: an embedding depends on its picture alone.
            changed = jax.vmap(lambda image: change(config, key, image[None])[0])(plain)
            return total + embed(params, changed)

        return unit(jax.lax.fori_loop(0, config.views, add, embed(params, plain)))

    return lambda images: in_blocks(
        lambda part: average(trained.params, part), images, at_a_time=AT_A_TIME
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
