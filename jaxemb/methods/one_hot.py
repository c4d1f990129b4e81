"""One-hot vectors: the dictionary as a representation, in which no two words are alike.

Example:
    from jaxemb import data
    from jaxemb.methods import one_hot

    text = data.from_tokens([["a", "motel", "is", "a", "hotel"]] * 5, min_count=1)
    fitted = one_hot.fit(text)
    motel, hotel = one_hot.encode(fitted, ["motel", "hotel"])
    print(motel @ hotel)  # 0, as for any two words

Word i of V is the i-th unit vector of V dimensions. The table of all words is the identity [V, V],
25 GB for 80,000 words: it is never made, only the part that a question touches.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.text import Text, check_text
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.fields import documented
from jaxemb.models import one_hot
from jaxemb.training.state import History


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """One-hot vectors have no options: the dictionary is all there is."""


class Fitted(NamedTuple):
    """A dictionary.

    Attributes:
      words: V, most frequent first; word i has its 1 at place i.
      options: of the fit.
      history: nothing is trained.
    """

    words: list[str]
    options: Options = Options()
    history: History = History()


def fit(text: Text, options: Options | None = None, *, key: Any = None) -> Fitted:
    """Numbers the words of a text.

    Args:
      text: the text.
      options: none has an effect.
      key: random key, or a seed, as other methods need one; nothing is random here.

    Returns:
      The dictionary.
    """
    if key is not None:
        checks.as_key(key)
    check_text(text)
    history = History(stopped_because="done")
    return Fitted(text.vocabulary.words, checks.as_options(options, Options), history)


def encode(
    fitted: Fitted, words: Iterable[str], *, axes: Iterable[str] | None = None
) -> np.ndarray:
    """Returns words' vectors along some of their V axes.

    Args:
      fitted: from `fit`.
      words: N words.
      axes: A different words, whose axes are wanted; None takes those of `words`, along which alone
        their vectors are not 0: products, lengths and distances are those of the whole vectors.

    Returns:
      [N, A] float32, 1 where the word is the axis's own and 0 elsewhere.

    Raises:
      InputError: naming words that the dictionary lacks.
    """
    known = Vocabulary(fitted.words, np.zeros(len(fitted.words), np.int64))
    words = list(words)
    ids = known.encode(words)
    wanted = known.encode(dict.fromkeys(words if axes is None else axes))
    return np.asarray(one_hot.one_hot(jnp.asarray(ids), jnp.asarray(wanted)))
