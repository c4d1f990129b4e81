"""Training of words of two languages."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.evaluation.translation import mean_of_nearest
from jaxemb.factorize.ibm1 import ibm1
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods import word2vec
from jaxemb.methods.bilingual.links import Probabilities, directions, probabilities
from jaxemb.methods.bilingual.options import Options
from jaxemb.methods.bilingual.sentences import MARKS, merged, read
from jaxemb.methods.sentences import Pairs
from jaxemb.progress import phase
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training


class Fitted(NamedTuple):
    """Words of two languages in one space.

    Attributes:
      first: the V words of the first language, most frequent first, their vectors of length 1.
      second: the U words of the second.
      forward: that a first word is translated by a second one.
      back: that a second word is translated by a first one.
      nearness: [V] and [U], the mean cosine of each word to its nearest ones of the other language;
        where it is large, a word is near to many.
      options: what was asked.
      history: how the training went.
    """

    first: WordVectors
    second: WordVectors
    forward: Probabilities
    back: Probabilities
    nearness: tuple[np.ndarray, np.ndarray]
    options: Options
    history: History = History()


def fit(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    beside: tuple[Iterable[str], Iterable[str]] = ((), ()),
    run: Run | None = None,
) -> Fitted:
    """Learns words of two languages from sentences and their translations.

    Args:
      key: random key, or a seed; the same one gives the same bits.
      pairs: N sentences with their translations; strings, cut into words by
        `jaxemb.data.tokenize.words`, in lower case.
      options: None takes the defaults.
      beside: sentences of the first and of the second language alone, from which more of each is
        learned.
      run: checkpoints, log and progress; None has none.

    Returns:
      The words of both languages.

    Raises:
      InputError: if pairs are none, no word is frequent enough, or the loss explodes.
      OSError: if a checkpoint cannot be written.

    Reference:
      Luong, Pham & Manning 2015, "Bilingual word representations with monolingual quality in mind";
      sentences are merged as in Vulić & Moens 2015, "Monolingual and cross-lingual information
      retrieval models based on (bilingual) word embeddings". Brown et al. 1993 (IBM model 1).
    """
    return loop.fit(start(key, pairs, options, beside=beside), run)


def start(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    beside: tuple[Iterable[str], Iterable[str]] = ((), ()),
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    sentences = read(pairs, beside, min_count=options.min_count)
    sizes = len(sentences.words[0]), len(sentences.words[1])
    word_key, svd_key = jax.random.split(key)
    training = word2vec.start(word_key, merged(sentences), options.of_words())
    with phase("linking words to their translations"):
        there = ibm1(*sentences.ids, words=sizes, iterations=options.iterations)
        back = ibm1(*sentences.ids[::-1], words=sizes[::-1], iterations=options.iterations)

    def finish(state: Any) -> Fitted:
        last = training.finish(state)
        linked: tuple[Any, ...] = ()
        if options.linked:
            with phase("factorizing the links"):
                linked = directions(svd_key, there.counts + back.counts.T, most=options.linked)
        tables = []
        for language, words in enumerate(sentences.words):
            rows = [last.vectors.index[MARKS[language] + word] for word in words.words]
            trained = [unit(jnp.asarray(last.params[name][rows])) for name in ("input", "output")]
            parts = [unit(jnp.concatenate(trained, axis=1))]
            if options.linked:
                parts.append(options.linked_weight * unit(linked[language]))
            tables.append(unit(jnp.concatenate(parts, axis=1)))
        with phase("comparing the languages"):
            nearness = [
                np.asarray(mean_of_nearest(own, other, min(options.neighbors, len(other))))
                for own, other in (tables, tables[::-1])
            ]
        first, second = (
            WordVectors(words.words, np.asarray(table))
            for words, table in zip(sentences.words, tables, strict=True)
        )
        return Fitted(
            first,
            second,
            probabilities(there),
            probabilities(back),
            (nearness[0], nearness[1]),
            options,
        )

    return training._replace(finish=finish, about=options)
