"""Proxies: one learned vector stands for each class, so that no examples need be compared.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.proxy import proxy_nca_loss
    from jaxemb.losses.terms import mean_of_terms

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    proxies = jnp.array([[1.0, 0.2], [-0.3, 1.0]])  # learned with the encoder
    loss = mean_of_terms(proxy_nca_loss(vectors, jnp.array([0, 0, 1]), proxies))

Vectors and proxies are normalized inside.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.terms import Terms


def proxy_nca_loss(
    vectors: jax.Array,
    labels: jax.Array,
    proxies: jax.Array,
    *,
    temperature: float | jax.Array = 1.0,
    where: jax.Array | None = None,
) -> Terms:
    """Computes -log of exp(-d(x, own proxy)) over the sum of exp(-d(x, p)) of all other proxies.

    d is the squared Euclidean distance of vectors of norm 1 divided by the temperature. Without
    the own proxy in the sum, a loss can be negative.

    Args:
      vectors: [B, D] float, normalized here.
      labels: [B] int in [0, C). Others have no term, for nothing can be raised here: check them
        on the host (`jaxemb.checks.check_labels`).
      proxies: [C, D] float, normalized here.
      temperature: above 0; 1 in the paper.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term for each example, in nats; none if there is a single proxy.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Movshovitz-Attias et al. 2017, arXiv:1703.07464, eq. 5; the temperature as in Teh et al. 2020,
      arXiv:2004.01113.
    """
    batch, dim = vectors.shape
    classes = len(proxies)
    chex.assert_shape(proxies, (None, dim))
    chex.assert_shape(labels, (batch,))
    own = labels[:, None] == jnp.arange(classes)[None, :]  # [B, C]
    here = jnp.any(own, axis=1) & (classes > 1)
    here = here if where is None else here & where
    cosines = jnp.matmul(unit(vectors), unit(proxies).T, precision=jax.lax.Precision.HIGHEST)
    closeness = (2 * cosines - 2) / temperature  # minus the squared distance
    # A row left out sums over all: the logarithm of nothing has no finite gradient.
    others = jnp.where(own & here[:, None], -jnp.inf, closeness)
    loss = jax.nn.logsumexp(others, axis=1) - jnp.sum(closeness, axis=1, where=own)
    return Terms(jnp.where(here, loss, 0), here.astype(jnp.int32))
