"""Prototypes: a class is the mean of its few examples, and queries go to the nearest one.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.prototypical import prototypical_loss
    from jaxemb.losses.terms import mean_of_terms

    support, query = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.8, 0.6], [-0.6, 0.8]])
    labels = jnp.array([0, 1])
    loss = mean_of_terms(prototypical_loss(support, labels, query, labels, classes=2))

The labels of an episode are numbered from 0.
"""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.losses.terms import Terms, clip_finite


def prototypes(
    support: jax.Array,
    labels: jax.Array,
    *,
    classes: int,
    where: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """Computes the mean of each class's examples.

    Args:
      support: [S, D] float.
      labels: [S] int in [0, classes); others count for no class.
      classes: C.
      where: [S] bool; False leaves an example out. None keeps all.

    Returns:
      [C, D] means, 0 for a class without examples, and [C] int32 examples of each.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    chex.assert_rank(support, 2)
    chex.assert_shape(labels, (len(support),))
    member = labels[None, :] == jnp.arange(classes)[:, None]  # [C, S]
    member = member if where is None else member & where[None, :]
    count = jnp.sum(member, axis=1, dtype=jnp.int32)
    # Divided before summing, which cannot overflow.
    share = member / jnp.maximum(count, 1)[:, None].astype(support.dtype)
    return jnp.matmul(share, support, precision=jax.lax.Precision.HIGHEST), count


def prototypical_loss(
    support: jax.Array,
    support_labels: jax.Array,
    query: jax.Array,
    query_labels: jax.Array,
    *,
    classes: int,
    distance: Callable[[jax.Array, jax.Array], jax.Array] = pairwise_squared_euclidean,
    support_where: jax.Array | None = None,
    query_where: jax.Array | None = None,
) -> Terms:
    """Computes -log of the softmax over classes of minus the distance to their prototypes.

    Args:
      support: [S, D] float, examples of each class of an episode.
      support_labels: [S] int in [0, classes).
      query: [Q, D] float.
      query_labels: [Q] int.
      classes: C.
      distance: all distances between two sets of vectors, from `jaxemb.losses.distances`.
      support_where: [S] bool; False leaves an example out. None keeps all.
      query_where: [Q] bool; False leaves a query out. None keeps all.

    Returns:
      A term for each query whose class has examples, in nats. A class without any is no answer.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Snell et al. 2017, arXiv:1703.05175, eq. 1 and 2.
    """
    chex.assert_shape(query, (None, support.shape[1]))
    chex.assert_shape(query_labels, (len(query),))
    means, count = prototypes(support, support_labels, classes=classes, where=support_where)
    own = query_labels[:, None] == jnp.arange(classes)[None, :]  # [Q, C]
    exists = (count > 0)[None, :]
    here = jnp.any(own & exists, axis=1)
    here = here if query_where is None else here & query_where
    logits = -clip_finite(distance(query, means))
    # A row left out sums over all: the logarithm of nothing has no finite gradient.
    among = jnp.where(exists | ~here[:, None], logits, -jnp.inf)
    loss = jax.nn.logsumexp(among, axis=1) - jnp.sum(logits, axis=1, where=own)
    return Terms(jnp.where(here, loss, 0), here.astype(jnp.int32))
