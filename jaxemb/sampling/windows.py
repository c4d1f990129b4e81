"""Windows: which neighbors of a word are its contexts, and which windows lie in one document."""

import chex
import jax
import jax.numpy as jnp


def window_reach(
    key: jax.Array, documents: jax.Array, *, window: int
) -> tuple[jax.Array, jax.Array]:
    """Draws each word's window and cuts it at the ends of its document.

    A window reaches b words to each side, b uniform on 1..window, as in the word2vec code: near
    neighbors count more.

    Args:
      key: random key.
      documents: [G, S + 2 * window] the document of each word in G stretches of text, where the
        S words in the middle want contexts; negative where there is no word.
      window: the largest reach.

    Returns:
      [G, S] int32 contexts to the left and [G, S] to the right of each word; (0, 0) for no word.

    Reference:
      Mikolov et al. 2013, arXiv:1301.3781, section 3.2.
    """
    groups, width = documents.shape
    size = width - 2 * window
    chex.assert_scalar_positive(size)
    # Uniform up to a bias of window / 2**32, in half the time of randint.
    reach = 1 + (jax.random.bits(key, (groups, size), jnp.uint32) % window).astype(jnp.int32)
    center = documents[:, window : window + size]

    def inside(offset: int) -> jax.Array:
        # Documents are in order, so that the words of the same one are the nearest ones.
        neighbor = documents[:, window + offset : window + offset + size]
        return ((neighbor == center) & (center >= 0)).astype(jnp.int32)

    left = sum((inside(-offset) for offset in range(1, window + 1)), jnp.zeros_like(reach))
    right = sum((inside(offset) for offset in range(1, window + 1)), jnp.zeros_like(reach))
    return jnp.minimum(left, reach), jnp.minimum(right, reach)


def whole_windows(documents: jax.Array, *, window: int) -> jax.Array:
    """Marks the windows of a fixed width that lie in one document.

    Args:
      documents: [G, S + window - 1] the document of each word in G stretches of text, in order;
        negative where there is no word.
      window: words of a window.

    Returns:
      [G, S] bool, of the window that starts at each word.
    """
    size = documents.shape[1] - window + 1
    chex.assert_scalar_positive(size)
    first, last = documents[:, :size], documents[:, window - 1 :]
    return (first == last) & (first >= 0)


def in_window(left: jax.Array, right: jax.Array, *, margin: int, columns: int) -> jax.Array:
    """Marks the pairs of a center and its contexts.

    Args:
      left: [G, S] contexts to the left of each center, at most W.
      right: [G, S] contexts to the right.
      margin: W.
      columns: C; columns from S + 2W on, if any, are no words of the text and must be ignored.

    Returns:
      [G, S, C] bool, True where word c of the group with its margins is a context of center s.
    """
    shape = (*left.shape, columns)
    row = jax.lax.broadcasted_iota(jnp.int32, shape, 1)
    offset = jax.lax.broadcasted_iota(jnp.int32, shape, 2) - row - margin
    return (offset >= -left[..., None]) & (offset <= right[..., None]) & (offset != 0)
