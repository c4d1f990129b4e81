"""Words linked to those that translate them, and the directions in which they agree."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import csr_array

from jaxemb.factorize.ibm1 import Links
from jaxemb.factorize.svd import svd

# How much larger than the directions the space is in which they are sought.
_SPACE = 2


class Probabilities(NamedTuple):
    """Of translations, as a sparse matrix of compressed rows.

    Attributes:
      values: [P] float32, more than 0.
      columns: [P] int32, words of the other language.
      ends: [V + 1] int64, where each word's begin and end.
    """

    values: np.ndarray
    columns: np.ndarray
    ends: np.ndarray


def probabilities(links: Links) -> Probabilities:
    """Returns the probabilities of links that have one."""
    table = links.probabilities.copy()
    table.eliminate_zeros()
    return Probabilities(
        table.data.astype(np.float32), table.indices.astype(np.int32), table.indptr.astype(np.int64)
    )


def directions(key: jax.Array, counts: csr_array, *, most: int) -> tuple[jax.Array, jax.Array]:
    """Finds the directions in which linked words correlate most, each word a variable of its own.

    They are singular vectors of the counts over the roots of both words' sums.

    Args:
      key: random key.
      counts: [V, U] how often words are linked.
      most: directions.

    Returns:
      [V, C] and [U, C], C at most V, U and `most`; 0 in directions beyond the counts' rank.

    Reference:
      Dhillon, Foster & Ungar 2015, "Eigenwords: spectral word embeddings" (canonical correlation of
      words and their contexts).
    """
    table = counts.tocoo()
    sums = [np.asarray(table.sum(axis=axis)) for axis in (1, 0)]
    chance = np.sqrt(sums[0][table.row] * sums[1][table.col])
    values = table.data / np.where(chance > 0, chance, 1)
    matrix = csr_array((values.astype(np.float32), table.coords), shape=table.shape)
    rank = min(most, *table.shape)
    found = svd(key, matrix, rank=rank, width=min(_SPACE * rank, *table.shape))
    agree = (found.values > 0)[None, :]
    return jnp.where(agree, found.left, 0), jnp.where(agree, found.right, 0)
