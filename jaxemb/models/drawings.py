"""Descriptors of drawings on white, such as icons: lines, outline and colors. Nothing is learned.

Several, each of another kind, so that what draws pictures in one's own style may change one and
leave the others: a button that is a square here and a disk there has the same sign on it.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.models.oriented_gradients import oriented_gradients

# Cells along a side, and hues and grays of a whole picture.
CELLS, HUES, GRAYS = 8, 12, 4


@jax.jit
def describe(images: jax.Array) -> tuple[jax.Array, ...]:
    """Computes six descriptors.

    Args:
      images: [B, H, H, 3] in [0, 1]; H at least 16.

    Returns:
      [B, F] each: edges in 8 directions; in 8 directions where dark to light and light to dark are
      the same; edges of the outline; the outline itself in 8 x 8 cells; colors in these; and the
      amounts of 12 hues and 4 grays in the picture, as square roots.

    Raises:
      AssertionError: while tracing, if the shape disagrees with the above.
    """
    batch, side = images.shape[:2]
    chex.assert_shape(images, (batch, side, side, 3))
    gray = images.mean(axis=3)
    # What differs from the paper by a quarter is ink, as much as black.
    ink = jnp.clip(4 * (1 - images).max(axis=3), 0, 1)
    cell, pool = side // CELLS, 2.5 * side / 32

    def edges(layer: jax.Array, orientations: int) -> jax.Array:
        return oriented_gradients(layer, orientations=orientations, cell=cell, pool=pool)

    both = edges(gray, 16)
    lines = jnp.sqrt(jnp.square(both[..., :8]) + jnp.square(both[..., 8:]))
    small = (
        jax.image.resize(layer, (batch, CELLS, CELLS, layer.shape[3]), "linear")
        for layer in (ink[..., None], images)
    )
    parts = (edges(gray, 8), lines, edges(ink, 8), *small)
    return *(part.reshape(batch, -1) for part in parts), _palette(images, ink)


def _palette(images: jax.Array, ink: jax.Array) -> jax.Array:
    """Returns [B, 16], the square roots of the amounts of hues and grays."""
    red, green, blue = jnp.moveaxis(images, 3, 0)
    hue = jnp.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    brightest = images.max(axis=3)
    vivid = brightest - images.min(axis=3)
    # A color between two counts for both, by linear interpolation.
    step = 2 * np.pi / HUES
    hues_of, grays_of = (np.arange(count)[None, None, None] for count in (HUES, GRAYS))
    away = (hue[..., None] - step * hues_of + np.pi) % (2 * np.pi) - np.pi
    hues = jax.nn.relu(1 - jnp.abs(away) / step) * (vivid * ink)[..., None]
    places = jnp.abs((GRAYS - 1) * brightest[..., None] - grays_of)
    grays = jax.nn.relu(1 - places) * ((1 - vivid) * ink)[..., None]
    amounts = jnp.concatenate([hues, grays], axis=3).mean(axis=(1, 2))
    return jnp.sqrt(amounts)
