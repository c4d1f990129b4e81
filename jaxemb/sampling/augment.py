"""Random changes to pictures that keep their class: pure functions of (key, images).

Moving pixels takes two steps, so that several changes are resampled, and blurred, once: the places
to read (`affine_places`, to which `elastic_offsets` may be added), then `resample`.
"""

import chex
import jax
import jax.numpy as jnp


def affine_places(
    key: jax.Array,
    shape: tuple[int, int, int],
    *,
    rotation: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    shift: float = 0.0,
) -> jax.Array:
    """Draws an affine map of the plane for each picture, around its middle.

    Args:
      key: random key.
      shape: (B, H, W).
      rotation: largest angle, in degrees, in either direction.
      scale: largest relative change of each side's length: 0.2 gives factors from 0.8 to 1.2.
      shear: largest tangent of the shear angle, in either direction.
      shift: largest shift along each axis as a share of the side, in either direction.

    Returns:
      [B, H, W, 2] row and column in the old picture of each pixel of the new one.
    """
    batch, height, width = shape
    angle_key, scale_key, shear_key, shift_key = jax.random.split(key, 4)

    def draw(key: jax.Array, most: float, count: int) -> jax.Array:
        return jax.random.uniform(key, (count, batch), minval=-most, maxval=most)

    angle = jnp.deg2rad(draw(angle_key, rotation, 1)[0])
    tall, wide = 1 + draw(scale_key, scale, 2)
    lean = draw(shear_key, shear, 1)[0]
    down, right = draw(shift_key, shift, 2) * jnp.array([[height], [width]])
    row = (jnp.arange(height) - (height - 1) / 2)[None, :, None]
    column = (jnp.arange(width) - (width - 1) / 2)[None, None, :]
    # From the new pixel back to the old one: the inverse of rotation, shear and scale.
    cos, sin = jnp.cos(angle)[:, None, None], jnp.sin(angle)[:, None, None]
    turned_row, turned_column = cos * row + sin * column, cos * column - sin * row
    turned_column = turned_column - lean[:, None, None] * turned_row
    old_row = turned_row / tall[:, None, None] - down[:, None, None] + (height - 1) / 2
    old_column = turned_column / wide[:, None, None] - right[:, None, None] + (width - 1) / 2
    return jnp.stack([old_row, old_column], axis=-1)


def elastic_offsets(
    key: jax.Array, shape: tuple[int, int, int], *, amplitude: float, knots: int = 5
) -> jax.Array:
    """Draws smooth displacements, like the variation of handwriting.

    Args:
      key: random key.
      shape: (B, H, W).
      amplitude: standard deviation of a knot's displacement along each axis, in pixels.
      knots: number along each side; displacements between them are interpolated by cubic splines.

    Returns:
      [B, H, W, 2] pixels to add to places.

    Reference:
      Simard, Steinkraus & Platt 2003, with a coarse grid instead of a blurred fine one.
    """
    batch, height, width = shape
    coarse = amplitude * jax.random.normal(key, (batch, knots, knots, 2))
    return jax.image.resize(coarse, (batch, height, width, 2), "cubic")


def resample(images: jax.Array, places: jax.Array, *, edge: bool = False) -> jax.Array:
    """Resamples pictures, bilinearly.

    Args:
      images: [B, H, W, C] float.
      places: [B, H', W', 2] row and column of each new pixel.
      edge: whether a picture goes on beyond its edge as there; otherwise outside it is 0.

    Returns:
      [B, H', W', C].

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    batch, _, _, channels = images.shape
    chex.assert_shape(places, (batch, None, None, 2))

    def one(image: jax.Array, place: jax.Array) -> jax.Array:
        at = (place[..., 0], place[..., 1])
        layers = [
            jax.scipy.ndimage.map_coordinates(
                image[..., c], at, order=1, mode="nearest" if edge else "constant"
            )
            for c in range(channels)
        ]
        return jnp.stack(layers, axis=-1)

    return jax.vmap(one)(images, places)


def shift_crop(key: jax.Array, images: jax.Array, *, padding: int) -> jax.Array:
    """Shifts each picture by a random number of whole pixels; zeros come in.

    Args:
      key: random key.
      images: [B, H, W, C].
      padding: P; shifts are uniform on -P..P along each axis.

    Returns:
      [B, H, W, C].
    """
    padded = jnp.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    starts = jax.random.randint(key, (len(images), 2), 0, 2 * padding + 1)

    def one(image: jax.Array, start: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice(image, (start[0], start[1], 0), images.shape[1:])

    return jax.vmap(one)(padded, starts)


def flip(key: jax.Array, images: jax.Array) -> jax.Array:
    """Mirrors each picture, left to right, with probability 1/2.

    Args:
      key: random key.
      images: [B, H, W, C].

    Returns:
      [B, H, W, C].
    """
    chosen = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
    return jnp.where(chosen, images[:, :, ::-1], images)


def turn(images: jax.Array, turns: jax.Array) -> jax.Array:
    """Rotates square pictures by multiples of 90 degrees and mirrors them; not at random.

    A character so changed serves as another character, which makes eight classes of one.

    Args:
      images: [B, H, H, C].
      turns: [B] int in 0..7: quarter turns to the left; from 4 on also mirrored left to right.

    Returns:
      [B, H, H, C].

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    batch, side, *_ = images.shape
    chex.assert_shape(images, (batch, side, side, None))
    chex.assert_shape(turns, (batch,))
    quarters = jnp.stack([jnp.rot90(images, number, (1, 2)) for number in range(4)])
    turned = quarters[turns % 4, jnp.arange(batch)]
    return jnp.where((turns >= 4)[:, None, None, None], turned[:, :, ::-1], turned)


def erase(key: jax.Array, images: jax.Array, *, side: float) -> jax.Array:
    """Blanks a rectangle of each picture: zeros.

    Args:
      key: random key.
      images: [B, H, W, C].
      side: largest length of the rectangle's sides as a share of the picture's, in [0, 1]. Lengths
        are uniform on 0..that; the rectangle lies within the picture.

    Returns:
      [B, H, W, C].

    Reference:
      Zhong et al. 2020, arXiv:1708.04896, without its fixed range of areas.
    """
    size_key, place_key = jax.random.split(key)
    sides = jnp.array(images.shape[1:3])
    length = jax.random.uniform(size_key, (len(images), 2), maxval=side) * sides[None]
    first = jax.random.uniform(place_key, (len(images), 2)) * (sides[None] - length)

    def within(axis: int) -> jax.Array:
        middle = jnp.arange(images.shape[1 + axis])[None] + 0.5
        return (middle >= first[:, axis, None]) & (middle < (first + length)[:, axis, None])

    blank = within(0)[:, :, None, None] & within(1)[:, None, :, None]
    return jnp.where(blank, 0, images)


def recolor(
    key: jax.Array, images: jax.Array, *, strength: float = 0.4, gray: float = 0.2
) -> jax.Array:
    """Changes brightness, contrast and saturation of each picture; some lose their colors.

    Args:
      key: random key.
      images: [B, H, W, 3] in [0, 1].
      strength: largest relative change of each of the three, in [0, 1].
      gray: probability that a picture becomes gray.

    Returns:
      [B, H, W, 3] in [0, 1].

    Reference:
      Chen et al. 2020, arXiv:2002.05709, appendix A, without changes of hue.
    """
    chex.assert_shape(images, (None, None, None, 3))
    change_key, gray_key = jax.random.split(key)
    shape = (3, len(images), 1, 1, 1)
    bright, contrast, vivid = jax.random.uniform(
        change_key, shape, minval=1 - strength, maxval=1 + strength
    )
    images = images * bright
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    images = mean + (images - mean) * contrast
    colorless = jax.random.bernoulli(gray_key, gray, shape[1:])
    luma = (images * jnp.array([0.299, 0.587, 0.114])[None, None, None]).sum(axis=3, keepdims=True)
    images = luma + (images - luma) * jnp.where(colorless, 0, vivid)
    return jnp.clip(images, 0, 1)
