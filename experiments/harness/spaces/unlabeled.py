"""What pictures are compared by without labels: pixels, edges, an autoencoder, a network."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.preprocessing import normalize

from jaxemb import checks
from jaxemb.data.points import Points
from jaxemb.fields import documented
from jaxemb.methods import autoencoder, pca, two_views
from jaxemb.methods.matching import losses
from jaxemb.models.encoders import PictureEncoder, ResidualEncoder
from jaxemb.models.oriented_gradients import oriented_gradients
from jaxemb.sampling.augment import affine_places, flip, recolor, resample
from jaxemb.training.network import in_blocks

from .. import run_folder
from ..command import Common
from ..matching.own_pictures import PictureFlags
from ..matching.pictures import draw_neighbors
from ..matching.training import check_features

# CIFAR-10's own test images are the last of its 60,000.
CIFAR_TEST = 10_000
# Share of one's own labeled pictures that are judged.
JUDGED = 0.2
# Width of the principal components and of the autoencoder's codes.
WIDTH = 256
# Pixels between centers of edges' cells.
CELL = 4
# Of the network: width of its vectors, pictures a step, and what SimCLR leaves open.
NETWORK_WIDTH, BATCH, TEMPERATURE, LEARNING_RATE = 128, 256, 0.2, 2e-3
# Queries whose nearest pictures are drawn.
QUERIES = 8


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """The trainings that need no labels either."""

    network_iterations: int = 400
    """Steps of the network, on two changed views of each picture of a batch."""
    network_features: tuple[int, ...] = (16, 32, 64)
    """Channels of the network's residual blocks."""
    autoencoder_iterations: int = 3000
    """Steps of the autoencoder, of 256 pictures."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("network_iterations", "autoencoder_iterations"):
            checks.check_field(self, name, at_least=1)
        check_features(self.network_features)


class Parts(NamedTuple):
    """Rows whose labels are known, and rows that are judged."""

    known: np.ndarray
    judged: np.ndarray


def part(flags: PictureFlags, given: Points, seed: int) -> Parts | None:
    """Returns which labels are known and which are asked; None without labels."""
    assert given.images is not None
    count = len(given.images)
    if given.labels is None or len(given.classes) < 2:
        return None
    if flags.data == "cifar10" and not flags.n:
        rows = np.arange(count)
        return Parts(rows[:-CIFAR_TEST], rows[-CIFAR_TEST:])
    rows = np.random.default_rng(seed).permutation(count)
    judged = max(1, round(JUDGED * count))
    return Parts(np.sort(rows[judged:]), np.sort(rows[:judged]))


def representations(
    common: Common, options: Options | None, images: np.ndarray, known: np.ndarray
) -> dict[str, tuple[str, Callable[[], np.ndarray]]]:
    """Lists ways to represent pictures.

    Args:
      common: of the run.
      options: of those that are trained; None leaves them out.
      images: [N, H, W] or [N, H, W, 3] uint8.
      known: rows to learn from.

    Returns:
      By name: what to call it, and what makes [N, D] float32.
    """

    def pixels() -> np.ndarray:
        return images.reshape(len(images), -1).astype(np.float32) / 255

    def components() -> np.ndarray:
        flat = pixels()
        wide = min(WIDTH, len(known), flat.shape[1])
        fitted = pca.fit(flat[known], pca.Options(components=wide, whiten=True))
        return np.asarray(pca.transform(fitted, flat))

    def edges() -> np.ndarray:
        def describe(block: jax.Array) -> jax.Array:
            gray = block.astype(jnp.float32) / 255
            gray = gray.mean(axis=3) if gray.ndim == 4 else gray
            return oriented_gradients(gray, cell=CELL).reshape(len(block), -1)

        return in_blocks(jax.jit(describe), images, at_a_time=500)

    def codes() -> np.ndarray:
        assert options is not None
        flat = pixels()
        narrow = autoencoder.Options(
            dim=min(WIDTH, flat.shape[1] // 2), iterations=options.autoencoder_iterations
        )
        run = run_folder.engine_run(common, common.out / "autoencoder")
        fitted = autoencoder.fit(common.seed, flat[known], narrow, run=run)
        run_folder.stop_if_asked(fitted.history)
        return np.asarray(autoencoder.encode(fitted.model, flat))

    def network() -> np.ndarray:
        assert options is not None
        return _network(common, options, images, known)

    found: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
        "pixels": ("pixels", pixels),
        "pca": ("principal components", components),
        "edges": ("directions of edges", edges),
    }
    if options is not None:
        found["autoencoder"] = ("autoencoder", codes)
        found["network"] = ("network by NT-Xent", network)
    return found


def _network(common: Common, options: Options, images: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Trains a network to know two changed views of a picture from others, and encodes all.

    Reference:
      Chen et al. 2020, arXiv:2002.05709 (SimCLR).
    """
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    inner = ResidualEncoder(NETWORK_WIDTH, features=options.network_features)
    module = PictureEncoder(inner, side=images.shape[1], color=True)
    loss = losses.projected(losses.nt_xent(temperature=TEMPERATURE))
    steps = two_views.Options(
        iterations=options.network_iterations,
        batch=min(BATCH, len(known)),
        learning_rate=LEARNING_RATE,
    )
    run = run_folder.engine_run(common, common.out / "network")
    views = images[known]
    fitted = two_views.fit(
        common.seed, module, loss, (views, views), steps, augment=_augment, run=run
    )
    run_folder.stop_if_asked(fitted.history)
    return two_views.encode(fitted.model, images, side="first")


def _augment(key: jax.Array, first: jax.Array, second: jax.Array) -> tuple[jax.Array, jax.Array]:
    one, other = jax.random.split(key)
    return _changed(one, first), _changed(other, second)


def _changed(key: jax.Array, images: jax.Array) -> jax.Array:
    """Returns pictures [B, H, W, 3], 0 to 255, cut, mirrored and recolored at random."""
    place_key, flip_key, color_key = jax.random.split(key, 3)
    batch, height, width, _ = images.shape
    places = affine_places(place_key, (batch, height, width), scale=0.3, shift=0.15)
    moved = resample(flip(flip_key, images.astype(jnp.float32) / 255), places, edge=True)
    return 255 * recolor(color_key, moved)


def draw_nearest(
    path: Path, images: np.ndarray, labels: np.ndarray | None, vectors: np.ndarray
) -> None:
    """Draws what is nearest to a few pictures; framed if it is of the same class."""
    queries = np.linspace(0, len(images) - 1, min(QUERIES, len(images))).astype(int)
    kinds = np.arange(len(images)) if labels is None else labels
    draw_neighbors(
        path,
        images,
        kinds,
        {"": normalize(vectors)},
        queries,
        title="Pictures, and those nearest to them",
    )
