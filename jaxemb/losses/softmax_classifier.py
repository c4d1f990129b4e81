"""The ordinary softmax classifier: one output a class, all classes known beforehand.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.softmax_classifier import softmax_classifier_loss
    from jaxemb.losses.terms import mean_of_terms

    logits = jnp.array([[2.0, -1.0, 0.5], [0.1, 0.2, 3.0]])
    loss = mean_of_terms(softmax_classifier_loss(logits, jnp.array([0, 2])))

A new class needs a new output and training; an embedding doesn't.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import Terms


def softmax_classifier_loss(
    logits: jax.Array, labels: jax.Array, *, where: jax.Array | None = None
) -> Terms:
    """Computes the cross entropy between each example's class and the softmax of its logits.

    Args:
      logits: [B, C] float.
      labels: [B] int in [0, C). Others have no term, for nothing can be raised here: check them
        on the host (`jaxemb.checks.check_labels`).
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term of -log p(class) for each example, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".
    """
    batch, classes = logits.shape
    chex.assert_shape(labels, (batch,))
    own = labels[:, None] == jnp.arange(classes)[None, :]  # [B, C]
    here = jnp.any(own, axis=1) if where is None else jnp.any(own, axis=1) & where
    # Rows left out may hold anything: they must not reach the exponentials.
    kept = jnp.where(here[:, None], logits, 0)
    target = jnp.sum(kept, axis=1, where=own)
    loss = jnp.where(here, jax.nn.logsumexp(kept, axis=1) - target, 0)
    return Terms(loss, here.astype(jnp.int32))
