"""How well pictures and words find one another: pictures and words that nothing learned from."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.metrics import label_ranking_average_precision_score

from jaxemb.evaluation.retrieval import retrieval
from jaxemb.evaluation.translation import Retrieval, precision_at_one, retrieve
from jaxemb.models import picture_words

from . import styles
from .styles import Descriptors, Options

KS = (1, 5, 10)
# Labels are words of at least so many pictures.
LEAST = 3
# Pictures near a new one, whose labels the baseline takes.
NEIGHBORS = 5
WAYS: tuple[Retrieval, ...] = ("nearest", "csls", "inverted_softmax")


class Split(NamedTuple):
    """Rows to learn from and rows to judge by."""

    known: np.ndarray
    held: np.ndarray


def split(rows: np.ndarray, seed: Sequence[int]) -> Split:
    """Holds a fifth of the rows out."""
    order = np.random.default_rng(seed).permutation(rows)
    count = len(order) // 5
    return Split(order[count:], order[:count])


def common_words(lists: Sequence[Sequence[str]]) -> list[str]:
    """Returns the words that at least three lists have."""
    counts = Counter(word for words in lists for word in set(words))
    return sorted(word for word, count in counts.items() if count >= LEAST)


def rank_labels(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Returns precision at 1, and the mean average precision of each picture's labels.

    Args:
      scores: [N, K] by which each picture's labels are ranked.
      truth: [N, K] 1 where it has the label; pictures without one are left out.
    """
    some = truth.any(axis=1)
    if not some.any():
        return float("nan"), float("nan")
    scores, truth = scores[some], truth[some] > 0
    first = truth[np.arange(len(truth)), scores.argmax(axis=1)]
    return float(first.mean()), float(label_ranking_average_precision_score(truth, scores))


def choose(
    descriptors: Descriptors, truth: np.ndarray, rows: np.ndarray, seed: Sequence[int], own: Options
) -> tuple[float, float | None]:
    """Chooses the tower's penalty, and with two styles the bridge's ridge, by held-out rows.

    Args:
      descriptors: of all pictures.
      truth: [N, K] of their labels.
      rows: that may be looked at.
      seed: of the choice among them.
      own: options.
    """
    known, held = split(rows, seed)
    tables = styles.tables(descriptors, known)
    learned, asked = _parts(tables, known), _parts(tables, held)
    first = next(iter(asked.values()))
    precision = {
        penalty: rank_labels(
            picture_words.tell(
                list(learned.values()),
                truth[known],
                first,
                sharpness=own.sharpness,
                penalty=penalty,
            ),
            truth[held],
        )[1]
        for penalty in own.penalties
    }
    penalty = max(precision, key=lambda one: precision[one])
    if len(tables) < 2:
        return penalty, None
    found = {}
    for ridge in own.ridges:
        over = styles.bridge(learned, own, ridge=ridge)
        found[ridge] = _first_right(styles.mapped(over, list(asked.values())), own, "csls")
    return penalty, max(found, key=lambda one: found[one])


def judge(
    descriptors: Descriptors,
    words: Sequence[Sequence[str]],
    texts: Sequence[Sequence[str]],
    truth: np.ndarray,
    parts: Split,
    own: Options,
    *,
    penalty: float,
    ridge: float | None,
) -> dict[str, float]:
    """Learns from one part and scores the other.

    Args:
      descriptors: of all pictures.
      words: N lists of all words of each.
      texts: N lists, by which a picture is asked for.
      truth: [N, K] 1 where it has the label.
      parts: rows to learn from, and to judge by in the first style.
      own: options.
      penalty: of the tower.
      ridge: of the bridge from style to style; None with one style.

    Returns:
      Figures.
    """
    known, held = parts
    tables = styles.tables(descriptors, known)
    learned, asked = _parts(tables, known), _parts(tables, held)
    first = next(iter(asked.values()))
    spoken = picture_words.tell(
        list(learned.values()), truth[known], first, sharpness=own.sharpness, penalty=penalty
    )
    names = ("precision", "map")
    figures = dict(zip(names, rank_labels(spoken, truth[held]), strict=True))
    near = neighbors(learned, truth[known], first)
    plain = rank_labels(near, truth[held])
    figures |= dict(zip(("neighbors_precision", "neighbors_map"), plain, strict=True))
    space = picture_words.learn(
        list(learned.values()),
        [words[row] for row in known],
        **dataclasses.asdict(own.space(penalty)),
    )
    seen = picture_words.encode_described(space, first)
    figures |= both_ways(
        seen, picture_words.encode_texts(space, [texts[row] for row in held]), texts, held
    )
    if ridge is not None:
        pair = list(asked.values())
        figures["styles_plain"] = _first_right(pair, own, "nearest")
        over = styles.bridge(learned, own, ridge=ridge)
        crossed = styles.cross(over, space, pair, own)
        figures |= {f"styles_{by}": _first_right(crossed, own, by) for by in WAYS}
    return figures


def neighbors(learned: Mapping[str, jax.Array], truth: np.ndarray, asked: jax.Array) -> np.ndarray:
    """Returns how often the nearest pictures have each label, weighed by their cosines, [B, K]."""
    every = jnp.concatenate(list(learned.values()))
    found = retrieve(asked, every, k=min(NEIGHBORS, len(every)), by="nearest")
    values = np.tile(truth, (len(learned), 1))
    return np.einsum("bk,bkc->bc", found.scores, values[found.ids])


def both_ways(
    seen: np.ndarray, read: np.ndarray, texts: Sequence[Sequence[str]], rows: np.ndarray
) -> dict[str, float]:
    """Returns the recall of text to picture and of picture to text.

    Args:
      seen: [N, D] pictures.
      read: [N, D] their texts; NaN where no word is known, which finds nothing.
      texts: of all pictures; equal ones are each other's.
      rows: those of the N.
    """
    numbers: dict[tuple[str, ...], int] = {}
    labels = np.array(
        [numbers.setdefault(tuple(sorted(set(texts[row]))), len(numbers)) for row in rows]
    )
    good = ~np.isnan(read[:, 0])
    share = float(good.mean())
    figures: dict[str, float] = {"texts_without_known_word": 1 - share}
    if not good.any():
        return figures | {f"{way}_{k}": 0.0 for way in ("found_at", "told_at") for k in KS}
    views = (read[good], labels[good]), (seen, labels)
    found = retrieval(*views[0], others=views[1], ks=KS).recall
    told = retrieval(*views[1], others=views[0], ks=KS)
    # Pictures whose text says nothing cannot be told.
    told_share = told.queries / len(seen)
    return (
        figures
        | {f"found_at_{k}": value * share for k, value in found.items()}
        | {f"told_at_{k}": value * told_share for k, value in told.recall.items()}
    )


def _parts(tables: Mapping[str, jax.Array], rows: np.ndarray) -> dict[str, jax.Array]:
    return {style: table[rows] for style, table in tables.items()}


def _first_right(pair: Sequence[jax.Array], own: Options, by: Retrieval) -> float:
    """Returns the share of pictures whose partner is the first, the mean of both directions."""
    right = [[row] for row in range(len(pair[0]))]
    return float(
        np.mean(
            [
                precision_at_one(retrieve(*views, by=by, temperature=own.temperature).ids, right)
                for views in (pair, pair[::-1])
            ]
        )
    )
