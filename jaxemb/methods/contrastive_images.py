"""Pictures embedded without labels: what belongs to one picture is brought together.

Example:
    import numpy as np
    from jaxemb import contrastive_images

    # Pictures of your own: jaxemb.data.pictures.read_pictures(files, side=32, color=True)
    images = np.random.default_rng(0).integers(256, size=(200, 16, 16, 3)).astype(np.uint8)
    options = contrastive_images.Options(patterns=64, patch_dim=16, cells=2, dim=32)
    fitted = contrastive_images.fit(0, images, options)
    vectors = contrastive_images.encode(fitted.model, images)  # [200, 32]; new pictures, too

Two patches of one picture are its two views. Patches are told by the patterns that they look like;
directions of these codes in which the patches of a picture agree, and those of others don't, embed
them: the spectral contrastive loss, whose best linear encoder needs no training. Patches are
averaged in the cells of a grid; a picture's vector is the principal components of all its cells.
"""

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.factorize.spectral_contrastive import spectral_contrastive
from jaxemb.fields import documented
from jaxemb.models import patch_space
from jaxemb.models.patch_space import PatchSpace
from jaxemb.progress import phase, progress_bar, told
from jaxemb.training.network import in_blocks
from jaxemb.training.state import History

# Pictures, at most, that patterns and what patches share are learned from; and the patches whose
# correlations are measured.
_LEARNED_FROM, _PATCHES = 10_000, 350_000
# Patches that are whitened and among which patterns are drawn.
_DRAWN = 100_000
_AT_A_TIME = 200
# Share of the mean variance of codes, lest rare patterns are made large.
_RIDGE = 1e-4


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the vectors, pictures given."""

    patch: int = 6
    """Pixels of a patch's sides."""
    patterns: int = 2048
    """Patches that others are compared with, drawn from the pictures."""
    threshold: float = 0.4
    """Least cosine of a patch and a pattern that it looks like, after whitening."""
    floor: float = 0.03
    """Added to the variances of patches when they are whitened; white is 1."""
    patch_dim: int = 256
    """Width of a patch's vector."""
    cells: int = 5
    """Of the grid, along each side of a picture."""
    dim: int = 256
    """Width of a picture's vector, at most."""
    power: float = 0.25
    """Of the variance along a direction, by which it is divided: 0 keeps distances, 0.5 makes all
    directions count alike."""

    def __post_init__(self) -> None:
        """Refuses values that no vectors can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "patch", at_least=2)
        for name in ("patterns", "patch_dim", "dim"):
            checks.check_field(self, name, at_least=2)
        checks.check_field(self, "cells", at_least=1)
        checks.check_field(self, "threshold", above=-1, at_most=0.99)
        checks.check_field(self, "floor", above=0)
        checks.check_field(self, "power", at_least=0, at_most=0.5)
        if self.patch_dim >= self.patterns:
            raise InputError(
                f"patch_dim must be less than patterns, found {self.patch_dim} and {self.patterns}"
            )


class Model(NamedTuple):
    """What encodes pictures.

    Attributes:
      space: of patches.
      mean: [F] of the cells' vectors.
      directions: [F, D] from these to the picture's vector.
      options: of the method.
      shape: [H, W, C] of a picture.
    """

    space: PatchSpace
    mean: jax.Array
    directions: jax.Array
    options: Options
    shape: tuple[int, int, int]

    @property
    def side(self) -> int:
        """Pixels of a square picture's sides."""
        return self.shape[0]

    @property
    def color(self) -> bool:
        """Whether pictures are in color rather than gray."""
        return self.shape[2] == 3


class Fitted(NamedTuple):
    """What was learned from pictures.

    Attributes:
      model: for `encode`.
      options: of the method.
      history: empty, for nothing is iterated.
    """

    model: Model
    options: Options
    history: History = History()


def fit(key: jax.Array | int, images: Any, options: Options | None = None) -> Fitted:
    """Learns to embed pictures; time grows with their pixels and with the number of patterns.

    Args:
      key: random key, or a seed.
      images: [N, H, W] or [N, H, W, 3] uint8, 20 or more. Of more than 10,000 as many are drawn to
        learn from.
      options: None takes the defaults.

    Returns:
      The model.

    Raises:
      InputError: if they are no such pictures, too small for the patches and cells, or all without
        any pattern.

    Reference:
      Coates, Ng & Lee 2011 (whitened patches as patterns); Chen et al. 2022, arXiv:2209.15261
      (their embedding); HaoChen et al. 2021, arXiv:2106.04156 (the loss).
    """
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    pictures = _images(images)
    _check_fit(pictures, options)
    row_key, patch_key, pattern_key, order_key, pca_key = jax.random.split(key, 5)
    some = pictures
    if len(pictures) > _LEARNED_FROM:
        drawn = jax.random.choice(row_key, len(pictures), (_LEARNED_FROM,), replace=False)
        some = pictures[np.sort(np.asarray(drawn))]
    with phase("learning patterns"):
        space = _patterns(patch_key, pattern_key, some, options)
    space = space._replace(directions=_directions(order_key, space, some, options))
    found = _described(space, some, options)
    most = min(options.dim, *found.shape)
    with phase("finding principal components"):
        principal = pca.fit_randomized(pca_key, jnp.asarray(found), components=most)
    # Directions within rounding error of 0 would be made large.
    kept = int(np.count_nonzero(np.asarray(principal.deviation)))
    if not kept:
        raise InputError("images must differ: all have the same patterns")
    scaled = principal.directions * principal.deviation[None, :] ** (-2 * options.power)
    shape = (*pictures.shape[1:],)
    return Fitted(Model(space, principal.mean, scaled[:, :kept], options, shape), options)


def encode(model: Model, images: Any) -> np.ndarray:
    """Embeds pictures.

    Args:
      model: of a `Fitted`.
      images: [N, H, W] or [N, H, W, 3] uint8, of the size that was learned from.

    Returns:
      [N, D] float32, to be compared by their cosine.

    Raises:
      InputError: if they are no such pictures.
    """
    return compress(model, describe(model, images))


def describe(model: Model, images: Any) -> np.ndarray:
    """Returns what the cells of pictures show, [N, cells cells patch_dim] float32.

    It is what `encode` compresses; a linear classifier finds more in it. Arguments and errors as
    there.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    pictures = _images(images)
    if pictures.shape[1:] != tuple(model.shape):
        raise InputError(
            f"images must be {_size(model.shape)}, as those learned from, found "
            f"{_size(pictures.shape[1:])}"
        )
    return _described(model.space, pictures, model.options)


def compress(model: Model, described: np.ndarray) -> np.ndarray:
    """Returns the vectors of pictures that `describe` has described, [N, D] float32."""
    given = checks.as_points(described, at_least=1, name="described")
    if given.shape[1] != len(model.mean):
        raise InputError(
            f"described must be [N, {len(model.mean)}], found {list(given.shape)}: `describe` "
            "describes pictures"
        )
    return in_blocks(
        lambda block: (block - model.mean[None, :]) @ model.directions, given, at_a_time=1000
    )


def _images(images: Any) -> np.ndarray:
    """Returns [N, H, W, C] uint8."""
    found = np.asarray(images)
    if found.ndim == 3:
        found = found[..., None]
    if found.ndim != 4 or found.shape[3] not in (1, 3) or found.dtype != np.uint8:
        raise InputError(
            f"images must be [N, H, W] or [N, H, W, 3] uint8, found {list(np.shape(images))} "
            f"{found.dtype}; jaxemb.data.pictures.read_pictures(files, side=32) reads such"
        )
    return found


def _size(shape: Any) -> str:
    height, width, channels = shape
    return f"{width} x {height} pixels in {'color' if channels == 3 else 'gray'}"


def _check_fit(pictures: np.ndarray, options: Options) -> None:
    """Refuses pictures that nothing can be learned from.

    Raises:
      InputError: naming what is too small.
    """
    if len(pictures) < 20:
        raise InputError(f"images must be 20 or more, found {len(pictures)}")
    places = min(pictures.shape[1:3]) - options.patch + 1
    if places < options.cells:
        raise InputError(
            f"images must have {options.patch + options.cells - 1} pixels a side or more, for "
            f"patches of {options.patch} and {options.cells} cells, found "
            f"{_size(pictures.shape[1:])}"
        )


def _patterns(
    patch_key: jax.Array, pattern_key: jax.Array, pictures: np.ndarray, options: Options
) -> PatchSpace:
    """Draws patches, whitens them, and makes some of them patterns."""
    rng = np.random.default_rng(np.asarray(jax.random.bits(patch_key, (4,))))
    size = options.patch
    rows = rng.integers(len(pictures), size=_DRAWN)
    tops, lefts = (rng.integers(side - size + 1, size=_DRAWN) for side in pictures.shape[1:3])
    rows, tops, lefts = (each[:, None, None] for each in (rows, tops, lefts))
    down, across = np.ogrid[:size, :size]
    drawn = pictures[rows, tops + down, lefts + across]
    patches = patch_space.gather(_floats(drawn), patch=size)[:, 0, 0]
    mean, whitening = patch_space.whitening_of(patches, floor=options.floor)
    unit = patch_space.whitened(patches, mean, whitening)
    chosen = jax.random.choice(pattern_key, len(unit), (options.patterns,), replace=False)
    return PatchSpace(mean, whitening, unit[chosen], jnp.empty((options.patterns, 0)))


def _directions(
    key: jax.Array, space: PatchSpace, pictures: np.ndarray, options: Options
) -> jax.Array:
    """Finds the directions of codes in which the patches of a picture agree."""
    each = math.prod(side - options.patch + 1 for side in pictures.shape[1:3])
    order = np.asarray(jax.random.permutation(key, len(pictures)))
    few = order[: max(20, _PATCHES // each)]
    looks = functools.partial(
        patch_space.codes, patch=options.patch, threshold=jnp.float32(options.threshold)
    )

    @jax.jit
    def moments(block: jax.Array) -> jax.Array:
        found = looks(space, block).reshape(-1, options.patterns)
        return found.T @ found

    @jax.jit
    def means(block: jax.Array) -> jax.Array:
        return jax.lax.map(lambda one: looks(space, one[None]).mean(axis=(0, 1, 2)), block)

    total = sum(moments(_floats(pictures[rows])) for rows in _blocks(few, 8, "comparing patches"))
    found = np.concatenate(
        [
            np.asarray(means(_floats(pictures[rows])))
            for rows in _blocks(np.arange(len(pictures)), _AT_A_TIME, "comparing pictures")
        ]
    )
    total = total / (len(few) * each)
    shared = jnp.asarray(found.T @ found) / len(found)
    # In the first, which is about their mean, all patches agree.
    wanted = options.patch_dim + 1
    return spectral_contrastive(total, shared, components=wanted, ridge=_RIDGE)[:, 1:]


def _described(space: PatchSpace, pictures: np.ndarray, options: Options) -> np.ndarray:
    """Returns [N, cells cells E]."""
    blocks = _blocks(np.arange(len(pictures)), _AT_A_TIME, "embedding patches")
    return np.concatenate(
        [
            np.asarray(
                _embed(
                    space,
                    _floats(pictures[rows]),
                    threshold=jnp.float32(options.threshold),
                    patch=options.patch,
                    cells=options.cells,
                )
            )
            for rows in blocks
        ]
    )


_embed = jax.jit(patch_space.embed, static_argnames=("patch", "cells"))


def _blocks(rows: np.ndarray, size: int, what: str) -> Iterator[np.ndarray]:
    """Yields rows, some at a time, and tells how far it is."""
    with progress_bar(
        total=len(rows), desc=what, unit=" pictures", delay=2, disable=not told()
    ) as bar:
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
            bar.update(len(rows[start : start + size]))


def _floats(pictures: np.ndarray) -> jax.Array:
    return jnp.asarray(pictures, jnp.float32) / 255
