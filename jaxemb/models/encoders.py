"""Encoders: from pictures, vectors or texts to points on the unit sphere.

Flax modules, used through `init` and `apply`. They keep no statistics of batches, so that an
example's embedding doesn't depend on the others of its batch.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxemb.kernels.convolution import convolve, max_pool, patches
from jaxemb.losses.distances import unit

# A deviation of a picture, as a share of white, below which it is noise and no light.
_FAINT = 0.01
# Pixels a side that tell a picture from others.
_FEW = 16


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


class Convolution(nn.Module):
    """A 3 x 3 convolution without bias.

    Attributes:
      width: F, channels of its result.
    """

    width: int

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Convolves pictures, [H, W, B, C] to [H, W, B, F]."""
        shape = (9 * images.shape[-1], self.width)
        return convolve(images, self.param("kernel", nn.initializers.lecun_normal(), shape))


class ConvEncoder(nn.Module):
    """Blocks of 3 x 3 convolution, 2 x 2 maxima, normalization and ReLU, then a dense layer.

    The four-block network of few-shot learning (Vinyals et al. 2016, arXiv:1606.04080) with group
    normalization (Wu & He 2018, arXiv:1803.08494) in place of batch normalization, and after the
    maxima, where a quarter of the pixels is left.

    Attributes:
      dim: D, width of the embedding.
      features: channels of each block; multiples of 8.
    """

    dim: int
    features: Sequence[int] = (64, 64, 64, 64)

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Embeds pictures, [B, H, W, C] to [B, D] of length 1; H and W at least 2^blocks."""
        images = images.transpose(1, 2, 0, 3)  # [H, W, B, C], as convolve expects
        for i, width in enumerate(self.features):
            # Named like the dense layers on patches of earlier checkpoints.
            images = max_pool(Convolution(width, name=f"Dense_{i}")(images))
            images = nn.relu(nn.GroupNorm(num_groups=8, reduction_axes=(0, 1, 3))(images))
        vectors = images.transpose(2, 0, 1, 3).reshape(images.shape[2], -1)
        return unit(nn.Dense(self.dim, name=f"Dense_{len(self.features)}")(vectors))


class PictureEncoder(nn.Module):
    """An encoder of pictures as files hold them: squares of bytes, gray or in color.

    The mean and the deviation of a picture are removed first, and so is most of its light. What it
    takes is written down with it, so that a picture of any size can be brought to that:
    `jaxemb.data.pictures.read_pictures(files, side=side, color=color)`.

    Attributes:
      encoder: pictures [B, side, side, C] of deviation 1 to [B, D].
      side: pixels of both sides.
      color: whether C is 3, red, green and blue, or 1.
      pixels: whether vectors have a second half, which nothing has learned: the picture itself, of
        at most 16 pixels a side. It helps where little was learned.
    """

    encoder: nn.Module
    side: int
    color: bool = False
    pixels: bool = False

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Embeds pictures from 0 to 255, [B, side, side, C] to [B, D]; gray ones without C, too.

        With pixels D is larger by what they are, and both halves count alike.
        """
        if images.ndim == 3:
            images = images[..., None]
        shape = (self.side, self.side, 3 if self.color else 1)
        if images.shape[1:] != shape:
            raise ValueError(f"pictures must be of shape {list(shape)}")
        images = images.astype(jnp.float32) / 255
        images -= images.mean(axis=(1, 2, 3), keepdims=True)
        variance = jnp.square(images).mean(axis=(1, 2, 3), keepdims=True)
        images /= jnp.sqrt(variance + _FAINT**2)
        vectors = self.encoder(images)
        if not self.pixels:
            return vectors
        few = min(self.side, _FEW)
        small = jax.image.resize(images, (len(images), few, few, images.shape[3]), "linear")
        return unit(jnp.concatenate([vectors, unit(small.reshape(len(images), -1))], axis=1))


class Given(nn.Module):
    """Vectors that exist already, as they are, but for their length."""

    @nn.compact
    def __call__(self, vectors: jax.Array) -> jax.Array:
        """Returns vectors, [B, D] to [B, D] of length 1."""
        return unit(vectors)


class ResidualEncoder(nn.Module):
    """Residual blocks of two 3 x 3 convolutions, each halving the sides, then the mean.

    He et al. 2016 (arXiv:1603.05027, normalization and ReLU first), with group normalization.

    Attributes:
      dim: D, width of the embedding.
      features: channels of each block; multiples of 8.
    """

    dim: int
    features: Sequence[int] = (32, 64, 128)

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Embeds pictures, [B, H, W, C] to [B, D] of length 1."""
        images = nn.Dense(self.features[0], use_bias=False)(patches(images))
        for width in self.features:
            ready = nn.relu(nn.GroupNorm(num_groups=8)(images))
            straight = nn.Dense(width, use_bias=False)(ready[:, ::2, ::2])
            bent = nn.Dense(width, use_bias=False)(patches(ready, stride=2))
            bent = nn.relu(nn.GroupNorm(num_groups=8)(bent))
            images = straight + nn.Dense(width, use_bias=False)(patches(bent))
        images = nn.relu(nn.GroupNorm(num_groups=8)(images))
        return unit(nn.Dense(self.dim)(images.mean(axis=(1, 2))))


class MeanEncoder(nn.Module):
    """The mean of a text's word vectors, whose lengths say how much each word counts.

    Attributes:
      dim: D, width of the word vectors and of the embedding.
      vocabulary: V.
    """

    dim: int
    vocabulary: int

    @nn.compact
    def __call__(self, words: jax.Array) -> jax.Array:
        """Embeds texts; arguments and result as in `BagEncoder`. One without a word is 0."""
        vectors = nn.Embed(self.vocabulary, self.dim)(jnp.maximum(words, 0))
        return unit((vectors * (words >= 0)[..., None]).sum(axis=1))


class HistoryEncoder(nn.Module):
    """The weighted mean of things of length 1, each the mean of a bag of ids' vectors.

    A user as the items that the user had; an item is a history of one.

    Attributes:
      dim: D, width of the vectors and of the embedding.
      vocabulary: V.
    """

    dim: int
    vocabulary: int

    @nn.compact
    def __call__(self, histories: tuple[jax.Array, jax.Array]) -> jax.Array:
        """Embeds histories.

        Args:
          histories: [B, H, T] ids, checked to be in 0..V-1, -1 beyond a bag's end; and [B, H] what
            each thing weighs, 0 beyond a history's end.

        Returns:
          [B, D] of length 1, or 0 where all bags that weigh are empty.
        """
        bags, weights = histories
        rows, things, width = bags.shape
        vectors = MeanEncoder(self.dim, self.vocabulary)(bags.reshape(rows * things, width))
        vectors = vectors.reshape(rows, things, self.dim)
        return unit((vectors * weights[..., None]).sum(axis=1))


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
    def __call__(self, words: jax.Array) -> jax.Array:
        """Embeds texts.

        Args:
          words: [B, T] ids, checked to be in 0..V-1; -1 beyond a text's end.

        Returns:
          [B, D] of length 1.
        """
        where = words >= 0
        vectors = nn.Embed(self.vocabulary, self.width)(jnp.maximum(words, 0))
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
    def __call__(self, words: jax.Array) -> jax.Array:
        """Embeds texts; arguments and result as in `BagEncoder`."""
        vectors = nn.Embed(self.vocabulary, self.width)(jnp.maximum(words, 0))
        lengths = (words >= 0).sum(axis=1)
        last, _ = nn.RNN(nn.GRUCell(self.width), return_carry=True)(vectors, seq_lengths=lengths)
        # Without a word the state would be that after the first padding.
        return unit(nn.Dense(self.dim)(last * (lengths > 0)[:, None]))
