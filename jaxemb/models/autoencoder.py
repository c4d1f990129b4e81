"""Autoencoders: networks that reconstruct their input from a narrow code.

Flax modules, used through `init` and `apply`; `apply(params, points, method="encode")` gives codes.
Inputs and outputs are points as rows of numbers, whatever their shape inside.
"""

import math
from collections.abc import Sequence

import chex
import jax
from flax import linen as nn

from jaxemb.kernels.convolution import patches


class DenseAutoencoder(nn.Module):
    """Dense layers, GELU between them; none after the code and the output.

    Without hidden layers it is linear: its optimum is PCA of the same width.

    Attributes:
      width: D, numbers of a point.
      bottleneck: C, numbers of a code.
      hidden: widths of the layers before the code; after it, the same in reverse.

    Reference:
      Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
    """

    width: int
    bottleneck: int
    hidden: Sequence[int] = (512, 128)

    def setup(self) -> None:
        """Makes the layers."""
        self.encoder = [nn.Dense(size) for size in (*self.hidden, self.bottleneck)]
        self.decoder = [nn.Dense(size) for size in (*reversed(self.hidden), self.width)]

    def encode(self, points: jax.Array) -> jax.Array:
        """Returns the codes [B, C] of points [B, D]."""
        chex.assert_shape(points, (None, self.width))
        return _through(self.encoder, points)

    def decode(self, codes: jax.Array) -> jax.Array:
        """Returns the points [B, D] of codes [B, C]."""
        chex.assert_shape(codes, (None, self.bottleneck))
        return _through(self.decoder, codes)

    def __call__(self, points: jax.Array) -> jax.Array:
        """Returns the reconstructions [B, D] of points [B, D]."""
        return self.decode(self.encode(points))


class ConvAutoencoder(nn.Module):
    """3 x 3 convolutions that halve an image's sides, a dense code, and the mirror image of these.

    In the decoder a convolution gives four values for each pixel, which become 2 x 2 pixels
    (Shi et al. 2016, arXiv:1609.05158).

    Attributes:
      shape: (H, W) or (H, W, channels) of an image; D is their product.
      bottleneck: C, numbers of a code.
      features: channels after each halving.
    """

    shape: Sequence[int]
    bottleneck: int
    features: Sequence[int] = (32, 64)

    def setup(self) -> None:
        """Makes the layers."""
        height, width, *rest = self.shape
        # The sides before each halving, the largest first, and after the last.
        sides = [(height, width)]
        for _ in self.features:
            height, width = -(-height // 2), -(-width // 2)
            sides.append((height, width))
        self.sides = sides
        channels = (rest[0] if rest else 1, *self.features)
        self.image = (*sides[0], channels[0])
        self.narrow = [nn.Dense(count) for count in self.features]
        self.to_code = nn.Dense(self.bottleneck)
        self.from_code = nn.Dense(math.prod(sides[-1]) * channels[-1])
        self.widen = [nn.Dense(4 * count) for count in reversed(channels[:-1])]

    def encode(self, points: jax.Array) -> jax.Array:
        """Returns the codes [B, C] of points [B, D]."""
        chex.assert_shape(points, (None, math.prod(self.image)))
        images = points.reshape(-1, *self.image)
        for layer in self.narrow:
            images = nn.gelu(layer(patches(images, stride=2)))
        return self.to_code(images.reshape(len(points), -1))

    def decode(self, codes: jax.Array) -> jax.Array:
        """Returns the points [B, D] of codes [B, C]."""
        chex.assert_shape(codes, (None, self.bottleneck))
        images = self.from_code(codes).reshape(len(codes), *self.sides[-1], -1)
        for layer, (height, width) in zip(self.widen, reversed(self.sides[:-1]), strict=True):
            fours = layer(patches(nn.gelu(images)))
            # An odd side was rounded up when it was halved.
            images = _unfold(fours)[:, :height, :width]
        return images.reshape(len(codes), -1)

    def __call__(self, points: jax.Array) -> jax.Array:
        """Returns the reconstructions [B, D] of points [B, D]."""
        return self.decode(self.encode(points))


def _unfold(images: jax.Array) -> jax.Array:
    """Returns [B, 2 H, 2 W, C] of [B, H, W, 4 C]: each pixel's channels become 2 x 2 pixels."""
    batch, height, width, _ = images.shape
    squares = images.reshape(batch, height, width, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5)
    return squares.reshape(batch, 2 * height, 2 * width, -1)


def _through(layers: Sequence[nn.Dense], values: jax.Array) -> jax.Array:
    for layer in layers[:-1]:
        values = nn.gelu(layer(values))
    return layers[-1](values)
