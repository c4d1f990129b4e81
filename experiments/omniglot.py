"""One-shot recognition of characters of alphabets never seen.

    python -m experiments.omniglot

Two busy cores of an AMD EPYC, 12.3 minutes: error 2.50% (people 4.5%).
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.framing import frame_ink, shrink
from jaxemb.data.sets import omniglot
from jaxemb.data.sets.omniglot import Omniglot
from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.methods import matching
from jaxemb.methods.matching import losses
from jaxemb.models.encoders import ConvEncoder
from jaxemb.sampling import augment
from jaxemb.training.network import in_blocks

from .harness import command, run_folder
from .harness.matching import omniglot_scores
from .harness.matching import training as harness
from .harness.matching.handwriting import TURNS, Changes, Picked, as_input, change
from .harness.matching.omniglot_scores import WAYS

# The line of the table in README.md, of entries of summary.json.
FIGURE = "error {official_20way_error:.2%} (people 4.5%)"

# Pictures as the network sees them, and how many it embeds at a time, each in several views.
SIDE = 28
AT_A_TIME = 400

Embed = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains on the small background sets, judges on the official 20 runs of unseen alphabets.

    Writes neighbors.png, hardest.png (what is mistaken), images.png and map.html (characters never
    seen, by t-SNE), metrics.jsonl, summary.json and checkpoints/ to --out. With --held-out, to
    choose the other flags by, judges by episodes of those alphabets instead. The same command again
    goes on where it was stopped.
    """

    small_set: Literal["1", "2", "both"] = "both"
    """Which of the official small background sets to learn from."""
    held_out: tuple[str, ...] = ()
    """Alphabets not learned from but judged, e.g. Korean and Tagalog."""
    extent: float = 4.2
    """Side of the square that is cut out around a character, in standard deviations of its ink; 0
    takes the whole picture as it was drawn."""
    features: tuple[int, ...] = (32, 64, 128)
    """Channels of each block; multiples of 8."""
    dim: int = 128
    """Width of the embedding."""
    views: int = 8
    """Changed copies of a picture, beside itself, whose embeddings are averaged when judging."""
    episodes: int = 1000
    """Of held-out alphabets."""
    objective: losses.Choice = losses.Choice(temperature=0.05)
    changes: Changes = Changes(rotation=20.0)
    options: matching.Options = matching.Options(
        iterations=3000, identities=64, samples=2, learning_rate=2e-3
    )
    common: command.Common = command.Common(out=Path("runs/omniglot"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        # Less would cut the characters themselves.
        if self.extent:
            checks.check_field(self, "extent", at_least=2, at_most=100)
        checks.check_field(self, "dim", at_least=1)
        checks.check_field(self, "views", at_least=0)
        checks.check_field(self, "episodes", at_least=2)
        harness.check_features(self.features)
        if 2 ** len(self.features) > SIDE:
            raise InputError(
                f"features: {len(self.features)} blocks leave nothing of {SIDE} pixels"
            )


# What the test of this script runs.
SMOKE = Config(
    features=(8,),
    dim=16,
    views=1,
    episodes=20,
    options=matching.Options(iterations=40, identities=16, samples=2, learning_rate=2e-3, parts=1),
)


def run(config: Config) -> None:
    """Trains, judges and draws."""
    command.use_cache()
    path = config.common.data_dir / omniglot.FILE
    data = omniglot.read(config.common.data_dir)
    learned, held_out = divide(config, data)
    if not harness.open_run(config, [path]):
        return
    embed = train(config, frame(config, data.images[learned]), data.characters[learned])
    runs, _, *shape = data.test.shape
    if config.held_out:
        images, kinds, classes = data.images[held_out], data.alphabets[held_out], data.names
    else:
        images = np.concatenate([data.train, data.test], axis=1).reshape(-1, *shape)
        kinds = np.repeat(np.arange(runs), len(images) // runs)
        classes = tuple(f"run {number}" for number in range(1, 1 + runs))
    framed = frame(config, images)
    vectors = {
        "pixels": harness.flat(shrink(images, side=SIDE)),
        "framed pixels": harness.flat(framed),
        "embedding": embed(framed),
    }
    figures: dict[str, float] = {
        "iterations": config.options.iterations,
        "characters": len(np.unique(data.characters[learned])),
    }
    if config.held_out:
        figures |= omniglot_scores.evaluate_held_out(
            jax.random.key(config.common.seed),
            data,
            held_out,
            vectors,
            names=config.held_out,
            episodes=config.episodes,
            picture=config.common.out / "neighbors.png",
        )
    else:
        figures |= omniglot_scores.evaluate_runs(data, vectors)
        omniglot_scores.draw_runs(config.common.out, data, vectors)
    harness.draw_map(
        config,
        vectors["embedding"],
        kinds,
        shrink(images, side=2 * SIDE),
        classes,
        title="characters of alphabets never seen",
    )
    run_folder.finish(config.common.out, figures)


def divide(config: Config, data: Omniglot) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows to learn from and rows of the alphabets held out.

    Raises:
      InputError: if an alphabet to hold out is unknown, or too little is left to learn from.
    """
    for name in config.held_out:
        if name not in data.names:
            raise InputError(f"held_out {name} is none of {', '.join(data.names)}")
    first, second = data.small_sets
    chosen = {"1": first, "2": second, "both": first | second}[config.small_set]
    out = np.isin(np.array(data.names), config.held_out)[data.alphabets]
    left = len(np.unique(data.characters[chosen & ~out]))
    if config.held_out and len(np.unique(data.characters[out])) < WAYS:
        raise InputError(
            f"held_out {' '.join(config.held_out)}: fewer than {WAYS} characters, which an "
            "episode needs; add an alphabet"
        )
    if TURNS * left < config.options.identities:
        raise InputError(
            f"identities {config.options.identities} are more than the {left} characters left to "
            f"learn from, each in {TURNS} ways"
        )
    return np.flatnonzero(chosen & ~out), np.flatnonzero(out)


def frame(config: Config, images: np.ndarray) -> np.ndarray:
    """Returns pictures as the network sees them, [N, 28, 28]."""
    if not config.extent:
        return shrink(images, side=SIDE)
    return frame_ink(images, side=SIDE, extent=config.extent)


def train(config: Config, images: np.ndarray, characters: np.ndarray) -> Embed:
    """Returns the trained embedding: [N, 28, 28] uint8 -> [N, dim]."""
    known, labels = np.unique(characters, return_inverse=True)
    # A character seen in another way is another class.
    ways = np.repeat(np.arange(TURNS, dtype=np.int32), len(images))
    labels = np.tile(labels, TURNS) * TURNS + ways
    print(
        f"{len(images):,} drawings of {len(known)} characters, {TURNS * len(known):,} classes by "
        "turning"
    )

    def augmented(key: jax.Array, inputs: tuple[jax.Array, jax.Array]) -> jax.Array:
        images, ways = inputs
        return change(config.changes, key, augment.turn(as_input(images), ways))

    training = matching.start(
        config.common.seed,
        ConvEncoder(config.dim, config.features),
        losses.choose(config.objective, samples=config.options.samples),
        (Picked(images, np.tile(np.arange(len(images)), TURNS)), ways),
        labels,
        config.options,
        augment=augmented,
    )
    encoder, variables = harness.run(config.common, training).model
    view_key = harness.keys(config, 4)[3]

    @jax.jit
    def average(variables: Any, images: jax.Array) -> jax.Array:
        plain = as_input(images)

        def embed(images: jax.Array) -> jax.Array:
            return jnp.asarray(encoder.apply(variables, images))

        def add(view: jax.Array, total: jax.Array) -> jax.Array:
            key = jax.random.fold_in(view_key, view)
            # One change for all pictures: an embedding depends on its picture alone.
            changed = jax.vmap(lambda image: change(config.changes, key, image[None])[0])(plain)
            return total + embed(changed)

        return unit(jax.lax.fori_loop(0, config.views, add, embed(plain)))

    return lambda images: in_blocks(
        lambda part: average(variables, part), images, at_a_time=AT_A_TIME
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
