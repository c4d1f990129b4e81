"""Encoders: from pictures, vectors or texts to points on the unit sphere.

Flax modules, used through `init` and `apply`. They keep no statistics of batches, so that an
example's embedding doesn't depend on the others of its batch.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxemb.losses.distances import unit


def halve(images: jax.Array) -> jax.Array:
    """Takes the largest of each 2 x 2 pixels; an odd last row or column is dropped.

    Written as a maximum over axes because XLA's pooling has a slow gradient on CPU: the network
    below trains twice as fast. Of equal pixels each gets its share of the gradient.

    Args:
      images: [B, H, W, C].

    Returns:
      [B, H // 2, W // 2, C].
    """
    batch, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


class MlpEncoder(nn.Module):
    """Dense layers with ReLU between them.

    Attributes:
      dim: D, width of the embedding.
      hidden: widths of the layers before it.
    """

    dim: int
    hidden: Sequence[int] = (256,)

    @nn.compact
    def __call__(self, vectors: jax.Array) -> jax.Array:
        """Embeds vectors, [B, F] to [B, D] of length 1."""
        for width in self.hidden:
            vectors = nn.relu(nn.Dense(width)(vectors))
        return unit(nn.Dense(self.dim)(vectors))


class ConvEncoder(nn.Module):
    """Blocks of 3 x 3 convolution, normalisation, ReLU and 2 x 2 maxima, then a dense layer.

    The four-block network of few-shot learning (Vinyals et al. 2016, arXiv:1606.04080) with group
    normalisation (Wu & He 2018, arXiv:1803.08494) in place of batch normalisation.

    Attributes:
      dim: D, width of the embedding.
      features: channels of each block; multiples of 8.
    """

    dim: int
    features: Sequence[int] = (64, 64, 64, 64)

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Embeds pictures, [B, H, W, C] to [B, D] of length 1; H and W at least 2^blocks."""
        for width in self.features:
            images = nn.Conv(width, (3, 3), use_bias=False)(images)
            images = nn.relu(nn.GroupNorm(num_groups=8)(images))
            images = halve(images)
        return unit(nn.Dense(self.dim)(images.reshape(len(images), -1)))


class ResidualEncoder(nn.Module):
    """Residual blocks of two 3 x 3 convolutions, each halving the sides, then the mean.

    He et al. 2016 (arXiv:1603.05027, normalisation and ReLU first), with group normalisation.

    Attributes:
      dim: D, width of the embedding.
      features: channels of each block; multiples of 8.
    """

    dim: int
    features: Sequence[int] = (32, 64, 128)

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Embeds pictures, [B, H, W, C] to [B, D] of length 1."""
        images = nn.Conv(self.features[0], (3, 3), use_bias=False)(images)
        for width in self.features:
            ready = nn.relu(nn.GroupNorm(num_groups=8)(images))
            straight = nn.Conv(width, (1, 1), strides=(2, 2), use_bias=False)(ready)
            bent = nn.Conv(width, (3, 3), strides=(2, 2), use_bias=False)(ready)
            bent = nn.relu(nn.GroupNorm(num_groups=8)(bent))
            images = straight + nn.Conv(width, (3, 3), use_bias=False)(bent)
        images = nn.relu(nn.GroupNorm(num_groups=8)(images))
        return unit(nn.Dense(self.dim)(images.mean(axis=(1, 2))))


class BagEncoder(nn.Module):
    """The mean of a text's word vectors, then a dense layer: word order doesn't matter.

    Attributes:
      dim: D, width of the embedding.
      vocabulary: V.
      width: of the word vectors.
    """

    dim: int
    vocabulary: int
    width: int = 128

    @nn.compact
    def __call__(self, words: jax.Array, where: jax.Array) -> jax.Array:
        """Embeds texts.

        Args:
          words: [B, T] ids, checked to be in 0..V-1.
          where: [B, T] bool; False beyond a text's end.

        Returns:
          [B, D] of length 1.
        """
        vectors = nn.Embed(self.vocabulary, self.width)(words)
        count = jnp.maximum(where.sum(axis=1, keepdims=True), 1)
        return unit(nn.Dense(self.dim)((vectors * where[..., None]).sum(axis=1) / count))


class GruEncoder(nn.Module):
    """A gated recurrent network over a text's word vectors, read once (Cho et al. 2014).

    Attributes:
      dim: D, width of the embedding.
      vocabulary: V.
      width: of the word vectors and of the network's state.
    """

    dim: int
    vocabulary: int
    width: int = 128

    @nn.compact
    def __call__(self, words: jax.Array, where: jax.Array) -> jax.Array:
        """Embeds texts; arguments and result as in `BagEncoder`."""
        vectors = nn.Embed(self.vocabulary, self.width)(words)
        lengths = where.sum(axis=1)
        last, _ = nn.RNN(nn.GRUCell(self.width), return_carry=True)(vectors, seq_lengths=lengths)
        # Without a word the network's state would be that of the first padding.
        return unit(nn.Dense(self.dim)(last * (lengths > 0)[:, None]))
