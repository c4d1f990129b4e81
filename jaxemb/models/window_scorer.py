"""W and R: a table of word vectors, and a network that scores how valid a window of text is."""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp

Params = dict[str, Any]


@functools.partial(jax.jit, static_argnames=("vocabulary", "dim", "window", "hidden", "scale"))
def init(
    key: jax.Array, *, vocabulary: int, dim: int, window: int, hidden: int, scale: float = 0.1
) -> Params:
    """Draws parameters; word vectors are so small that learning soon outweighs the draw.

    Args:
      key: random key.
      vocabulary: V.
      dim: D.
      window: n, words of a window.
      hidden: H, units of the hidden layer.
      scale: standard deviation of the words.

    Returns:
      {"words": [V, D] normal; these are the result of training.
      "scorer": {"kernel": [n D, H] and "output": [H], uniform in ±1/sqrt(what a unit sums), "bias":
      [H] and "output_bias": [], zeros}}.
    """
    words_key, kernel_key, output_key = jax.random.split(key, 3)

    def uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        return jax.random.uniform(key, shape, jnp.float32, minval=-1, maxval=1) * shape[0] ** -0.5

    return {
        "words": scale * jax.random.normal(words_key, (vocabulary, dim), jnp.float32),
        "scorer": {
            "kernel": uniform(kernel_key, (window * dim, hidden)),
            "bias": jnp.zeros(hidden),
            "output": uniform(output_key, (hidden,)),
            "output_bias": jnp.zeros(()),
        },
    }


def score(scorer: Params, windows: jax.Array) -> jax.Array:
    """Scores windows as they are.

    Args:
      scorer: from `init`.
      windows: [N, n, D] vectors of the words of each.

    Returns:
      [N] scores; above 0 a window is called valid, if the scorer was trained by the logistic loss.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    chex.assert_rank(windows, 3)
    rows = windows.reshape(len(windows), -1)
    chex.assert_shape(scorer["kernel"], (rows.shape[1], None))
    return _output(scorer, rows @ scorer["kernel"] + scorer["bias"][None])


def scores(
    scorer: Params, text: jax.Array, noise: jax.Array, *, place: int
) -> tuple[jax.Array, jax.Array]:
    """Scores all windows of stretches of text, as they are and with a word replaced.

    R is a hidden layer of rectified units over the n concatenated vectors of a window, and a linear
    output. A corrupted window differs in one word, hence in that word's term of the hidden layer: a
    noise word's term is computed once for all windows.

    Args:
      scorer: from `init`.
      text: [G, S + n - 1, D] vectors of neighboring words, from which S windows can be cut.
      noise: [G, K, D] vectors of the noise words; every window of a stretch gets each of them.
      place: in 0..n-1, of the word that is replaced.

    Returns:
      [G, S] of the windows, [G, S, K] of the corrupted ones.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Collobert et al. 2011, arXiv:1103.0398, section 3.2.
    """
    groups, length, dim = text.shape
    window = len(scorer["kernel"]) // dim
    size = length - window + 1
    chex.assert_shape(scorer["kernel"], (window * dim, None))
    chex.assert_shape(noise, (groups, None, dim))
    assert 0 <= place < window, f"place {place} in a window of {window}"
    parts = jnp.split(scorer["kernel"], window)  # [D, H] each
    shifted = [text[:, i : i + size] for i in range(window)]
    own, kernel = shifted.pop(place), parts.pop(place)

    def product(vectors: jax.Array, kernel: jax.Array) -> jax.Array:
        # As matrices: on CPU, XLA has a slow gradient for more axes.
        rows = vectors.reshape(-1, vectors.shape[-1])
        return (rows @ kernel).reshape(*vectors.shape[:2], -1)

    rest = product(jnp.concatenate(shifted, axis=-1), jnp.concatenate(parts))
    rest += scorer["bias"][None, None]
    switched = rest[:, :, None] + product(noise, kernel)[:, None]  # [G, S, K, H]

    return _output(scorer, rest + product(own, kernel)), _output(scorer, switched)


def _output(scorer: Params, summed: jax.Array) -> jax.Array:
    """Scores from what the hidden units sum up, [..., H] -> [...]."""
    # The paper's hard tanh is linear for small vectors, which then hardly begin to learn which
    # words go together.
    return jax.nn.relu(summed) @ scorer["output"] + scorer["output_bias"]
