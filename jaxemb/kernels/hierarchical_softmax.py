"""Gradients of `losses.hierarchical_softmax`, of groups of neighboring words at once."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.kernels.grouped import GroupedGradients


def hierarchical_softmax_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    codes: jax.Array,
    observed: jax.Array,
    output_scale: jax.Array,
) -> GroupedGradients:
    """Computes the gradient of `hierarchical_softmax_loss` over all predictions of groups of words.

    All scores of a group, of each vector that predicts with each node on a path, are one matrix
    product: several times as many as needed, and yet faster than the pairs one by one.

    Args:
      hidden: [G, S, D] the vectors that predict.
      outputs: [G, C * L, D] output vectors of the nodes on the paths to C words.
      codes: [G, C, L] as above.
      observed: [G, C, S] float, how often vector s predicts word c.
      output_scale: [G, C * L] factor on each row of the second gradient.

    Returns:
      The gradients, summed over predictions, the second one scaled. The loss is that of each
      group's first word.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    _, words, length = codes.shape
    chex.assert_shape(codes, (groups, words, length))
    chex.assert_shape(outputs, (groups, words * length, dim))
    chex.assert_shape(observed, (groups, words, size))
    chex.assert_shape(output_scale, (groups, words * length))

    sign = codes.reshape(groups, -1, 1).astype(hidden.dtype)
    weight = jnp.repeat(observed, length, axis=1)  # [G, C * L, S]
    scores = jnp.einsum("gcd,gsd->gcs", outputs, hidden)
    # The sign is 0 where a path has ended.
    to_scores = jax.lax.optimization_barrier(-sign * weight * jax.nn.sigmoid(-sign * scores))
    by_center = jax.lax.optimization_barrier(jnp.swapaxes(to_scores, 1, 2))
    turns, lost = sign[:, :length], jax.nn.softplus(-sign[:, :length] * scores[:, :length])
    return GroupedGradients(
        jnp.einsum("gsc,gcd->gsd", by_center, outputs),
        jnp.einsum("gcs,gsd->gcd", to_scores * output_scale[..., None], hidden),
        jnp.sum(weight[:, :length] * jnp.abs(turns) * lost, axis=(1, 2)),
        jnp.sum(observed[:, 0], axis=1),
    )
