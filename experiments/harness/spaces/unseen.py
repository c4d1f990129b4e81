"""Two classes held out: their pictures told by names alone, and from those of seen classes."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxemb.data.points import Points
from jaxemb.evaluation.verification import area, roc
from jaxemb.evaluation.zero_shot import familiarity, standard_scores
from jaxemb.factorize.ridge import ridge

from .unlabeled import Parts

# Positions of two classes, ascending.
Pair = tuple[int, int]

# Known pictures of seen classes, at most, that scores are compared with.
COMPARED = 10_000
# Known pictures whose nearness says whether a picture is of a seen class.
NEIGHBORS = 20
# Of the ridge, as a share of the mean squared singular value.
PENALTY = 0.1


class Told(NamedTuple):
    """What a map of pictures to words says of a pair of unseen classes.

    Attributes:
      accuracy: share of their test pictures nearer to the right name.
      novelty: how often a test picture of an unseen class is less familiar than one of a seen
        class, the area under the ROC curve.
      curve: [S, 3] share of test pictures called unseen; of seen classes' pictures that are put
        to the right one; of unseen classes', likewise.
    """

    accuracy: float
    novelty: float
    curve: np.ndarray


def seen_rows(given: Points, parts: Parts, pair: Pair) -> np.ndarray:
    """Returns the known rows of seen classes."""
    assert given.labels is not None
    return parts.known[~np.isin(given.labels[parts.known], pair)]


def compared(rows: np.ndarray) -> np.ndarray:
    """Returns at most COMPARED rows, evenly, for those of a class may stand together."""
    return rows[:: -(-len(rows) // COMPARED)]


def map_vectors(
    vectors: np.ndarray, words: np.ndarray, given: Points, parts: Parts, pair: Pair
) -> np.ndarray:
    """Maps vectors to words by ridge regression on the seen classes; returns all mapped, [N, D]."""
    assert given.labels is not None
    rows = seen_rows(given, parts, pair)
    known, named = vectors[rows], words[given.labels[rows]]
    middle, usual = known.mean(axis=0), named.mean(axis=0)
    matrix = ridge(jnp.asarray(known - middle), jnp.asarray(named - usual), penalty=PENALTY)
    return (vectors - middle) @ np.asarray(matrix) + usual


def tell(
    mapped: np.ndarray,
    vectors: np.ndarray,
    words: np.ndarray,
    given: Points,
    parts: Parts,
    pair: Pair,
) -> Told:
    """Judges pictures mapped to words: which of two unseen classes, and is it unseen?

    Args:
      mapped: [N, D] to words.
      vectors: [N, E] in which neighbors say whether a picture is of a seen class.
      words: [C, D].
      given: pictures with labels.
      parts: which are known.
      pair: the unseen classes.
    """
    assert given.labels is not None
    labels = given.labels
    rows, asked = compared(seen_rows(given, parts, pair)), parts.judged
    expected = labels[asked]
    unseen = np.isin(expected, pair)
    chosen = np.asarray(pair)[
        standard_scores(mapped[rows], mapped[asked], words[list(pair)]).argmax(axis=1)
    ]
    others = np.array([one for one in range(len(words)) if one not in pair])
    fits = familiarity(vectors[rows], vectors[asked], k=min(NEIGHBORS, len(rows)))
    nearest = others[standard_scores(mapped[rows], mapped[asked], words[others]).argmax(axis=1)]
    right = np.where(unseen, chosen == expected, nearest == expected)
    # The least familiar are called unseen, and those only can be put to an unseen class.
    order = np.argsort(np.argsort(fits, kind="stable"), kind="stable") / len(fits)
    curve = [
        (
            share,
            float((right & (order >= share))[~unseen].mean()),
            float((right & (order < share))[unseen].mean()),
        )
        for share in np.linspace(0, 1, 41)
    ]
    # As verification has it: what is small is of the same kind, here unseen.
    novelty = area(roc(fits.astype(np.float64), unseen))
    return Told(float((chosen == expected)[unseen].mean()), novelty, np.array(curve))
