"""Batches of P identities with K samples each: every example has positives and negatives."""

import jax
import numpy as np

from jaxemb.checks import check_labels
from jaxemb.errors import InputError


class BalancedBatches:
    """Batches as rows of a data set, each a function of (labels, key, step).

    An epoch goes through the identities in a new order, P a step; an incomplete last batch is
    dropped. K different samples of each identity are drawn. An identity with fewer gives all of
    them as often as it can and draws the rest: a sample is then in the batch several times, and
    unless it is augmented it is its own positive, at distance 0.

    Attributes:
      epoch_steps: steps of an epoch.
    """

    def __init__(self, key: jax.Array, labels: np.ndarray, *, identities: int, samples: int):
        """Sorts the data set's rows by identity.

        Args:
          key: random key.
          labels: [N] int, the identity of each row.
          identities: P, at least 2.
          samples: K, at least 2.

        Raises:
          InputError: if a number is out of range or labels are no integers, if there are fewer than
            P identities, or one of them has a single sample.
        """
        check_labels(labels, labels.size)
        for name, value in (("identities", identities), ("samples", samples)):
            if value < 2:
                raise InputError(
                    f"{name} a batch must be at least 2, found {value}: without a second one there "
                    f"are no {'negatives' if name == 'identities' else 'positives'}"
                )
        names, counts = np.unique(labels, return_counts=True)
        if len(names) < identities:
            raise InputError(
                f"a batch of {identities} identities needs as many, found {len(names)} in "
                f"{labels.size} rows"
            )
        single = names[counts == 1]
        if single.size:
            raise InputError(
                f"{single.size} of {len(names)} classes have one sample, the first is class "
                f"{single[0]}: no positive can be drawn. Leave them out of training; a gallery can "
                "still enroll them"
            )
        self._members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
        self._identities, self._samples = identities, samples
        high, low = map(int, jax.random.key_data(key).ravel())
        self._seed = high << 32 | low
        self.epoch_steps = len(names) // identities

    def batches(self, start: int, stop: int) -> np.ndarray:
        """Returns the batches of steps [start, stop).

        Args:
          start: first step.
          stop: one more than the last.

        Returns:
          [stop - start, P K] int32 rows, the samples of an identity side by side.
        """
        shape = (stop - start, self._identities * self._samples)
        return np.array([self._batch(step) for step in range(start, stop)], np.int32).reshape(shape)

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, stream]))

    def _batch(self, step: int) -> np.ndarray:
        epoch, place = divmod(step, self.epoch_steps)
        # Even streams order the identities of an epoch, odd ones draw the samples of a step.
        order = self._rng(2 * epoch).permutation(len(self._members))
        rng = self._rng(2 * step + 1)
        chosen = order[place * self._identities : (place + 1) * self._identities]
        return np.concatenate([self._draw(rng, self._members[i]) for i in chosen])

    def _draw(self, rng: np.random.Generator, members: np.ndarray) -> np.ndarray:
        times, rest = divmod(self._samples, len(members))
        drawn = rng.choice(members, rest, replace=False)
        return np.concatenate([np.tile(members, times), drawn])
