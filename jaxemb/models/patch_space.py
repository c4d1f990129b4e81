"""Pictures as their patches, and patches as the patterns that they look like."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.distances import unit

# Pictures whose patches are in memory at a time.
_AT_A_TIME = 8


class PatchSpace(NamedTuple):
    """What patches are compared with, and where they lie.

    Attributes:
      mean: [P] of patches without their own mean color.
      whitening: [P, P] symmetric: what is left is uncorrelated after it.
      patterns: [K, P] whitened patches of length 1.
      directions: [K, E] of the codes: which patterns a patch looks like.
    """

    mean: jax.Array
    whitening: jax.Array
    patterns: jax.Array
    directions: jax.Array


def gather(images: jax.Array, *, patch: int) -> jax.Array:
    """Cuts the patch out that begins at each pixel, and takes its mean color away.

    Args:
      images: [B, H, W, C] float.
      patch: S, pixels of its sides.

    Returns:
      [B, H - S + 1, W - S + 1, S S C].

    Raises:
      AssertionError: while tracing, if pictures are smaller than a patch.
    """
    chex.assert_rank(images, 4)
    batch, height, width, channels = images.shape
    rows, columns = height - patch + 1, width - patch + 1
    assert min(rows, columns) >= 1, f"{height} x {width} pixels hold no patch of {patch} x {patch}"
    found = jnp.stack(
        [images[:, i : i + rows, j : j + columns] for i in range(patch) for j in range(patch)],
        axis=3,
    )
    found = found - found.mean(axis=3, keepdims=True)
    return found.reshape(batch, rows, columns, patch * patch * channels)


def whitening_of(patches: jax.Array, *, floor: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """Finds what makes patches uncorrelated.

    Args:
      patches: [N, P] float.
      floor: [] added to the variance along each direction, lest noise is made large; more than 0.

    Returns:
      mean: [P].
      whitening: [P, P].

    Reference:
      Bell & Sejnowski 1997 (ZCA); Coates, Ng & Lee 2011, section 3.2.
    """
    mean = patches.mean(axis=0)
    centered = patches - mean[None, :]
    values, vectors = jnp.linalg.eigh(centered.T @ centered / len(patches))
    scale = jax.lax.rsqrt(jnp.maximum(values, 0) + floor)
    return mean, (vectors * scale[None, :]) @ vectors.T


def whitened(patches: jax.Array, mean: jax.Array, whitening: jax.Array) -> jax.Array:
    """Whitens patches [N, P] to length 1; 0 where there is nothing but the mean."""
    return unit((patches - mean[None, :]) @ whitening)


def codes(space: PatchSpace, images: jax.Array, *, patch: int, threshold: jax.Array) -> jax.Array:
    """Tells which patterns each patch looks like.

    Args:
      space: of which `directions` are not needed.
      images: [B, H, W, C] float.
      patch: S, pixels of a patch's sides.
      threshold: [] least cosine of a patch and a pattern that it looks like.

    Returns:
      [B, H - S + 1, W - S + 1, K] 1 or 0.

    Reference:
      Chen et al. 2022, arXiv:2209.15261, section 2 (general sparsity).
    """
    patches = gather(images, patch=patch)
    found = whitened(patches.reshape(-1, patches.shape[3]), space.mean, space.whitening)
    looks = (found @ space.patterns.T > threshold).astype(jnp.float32)
    return looks.reshape(*patches.shape[:3], -1)


def embed(
    space: PatchSpace, images: jax.Array, *, patch: int, threshold: jax.Array, cells: int
) -> jax.Array:
    """Embeds patches, each to length 1, and averages them in the cells of a grid.

    Args:
      space: of patches.
      images: [B, H, W, C] float.
      patch: S, pixels of a patch's sides.
      threshold: [] least cosine of a patch and a pattern that it looks like.
      cells: along each side; at most as many as there are patches.

    Returns:
      [B, cells cells E], each cell's part of length 1; 0 where patches look like no pattern.
    """
    height, width = (size - patch + 1 for size in images.shape[1:3])
    down, across = (jnp.asarray(_means(size, cells)) for size in (height, width))

    def some(block: jax.Array) -> jax.Array:
        looks = codes(space, block[None], patch=patch, threshold=threshold)
        placed = unit(looks @ space.directions)
        pooled = jnp.einsum("bhwe,ph,qw->bpqe", placed, down, across)
        return unit(pooled)[0]

    found = jax.lax.map(some, images, batch_size=min(_AT_A_TIME, len(images)))
    return found.reshape(len(images), -1)


def _means(size: int, cells: int) -> np.ndarray:
    """Returns [cells, size] the weights of means over as many even parts."""
    assert 1 <= cells <= size, f"{cells} cells of {size} patches"
    edges = np.linspace(0, size, cells + 1).round().astype(int)
    weights = np.zeros((cells, size), np.float32)
    for at, (start, stop) in enumerate(zip(edges, edges[1:], strict=False)):
        weights[at, start:stop] = 1 / (stop - start)
    return weights
