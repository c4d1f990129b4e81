"""Subsampling of frequent words, on the host: it determines the text's length."""

import numpy as np


def keep_probability(counts: np.ndarray, *, words: int, threshold: float) -> np.ndarray:
    """Returns the probability with which each word's occurrences are kept.

    The released word2vec code keeps a word of relative frequency f with probability
    sqrt(t / f) + t / f, more than the paper's sqrt(t / f); peers do the same, so do we.

    Args:
      counts: [V] occurrences of each word in the corpus.
      words: length of the corpus, words outside the vocabulary included.
      threshold: t, a relative frequency; 0 keeps everything.

    Returns:
      [V + 1] float32 probabilities; the last is 0, for words outside the vocabulary.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, section 2.3.
    """
    frequency = np.maximum(counts, 1) / words
    ratio = threshold / frequency if threshold > 0 else np.full(frequency.shape, np.inf)
    return np.append(np.minimum(np.sqrt(ratio) + ratio, 1), 0).astype(np.float32)


def subsample(rng: np.random.Generator, ids: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Draws which words of a text are kept.

    Args:
      rng: random generator.
      ids: [N] word ids; V or more stands for any word outside the vocabulary.
      keep: [V + 1] from `keep_probability`.

    Returns:
      [N] bool, True for the words that are kept.
    """
    # Draws lie in [0, 1), so that probability 0 never and 1 always keeps.
    return rng.random(len(ids), np.float32) < keep[np.minimum(ids, len(keep) - 1)]
