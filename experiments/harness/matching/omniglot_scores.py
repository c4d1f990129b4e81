"""How well unseen characters of Omniglot are recognized, in figures and pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from jaxemb.data.sets.omniglot import Omniglot
from jaxemb.evaluation.episodes import draw_episodes, episode_accuracy, one_shot_runs
from jaxemb.plots.image_rows import write_rows
from jaxemb.plots.pairs import write_neighbor_rows

from .pictures import draw_neighbors

# Of episodes: classes, and queries of each.
WAYS, QUERIES = 20, 5
# Queries in the pictures, and examples beside one.
HARDEST, SHOWN, NEAREST = 12, 5, 8


def evaluate_runs(data: Omniglot, vectors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Judges on the official runs and tells the errors.

    Args:
      data: with the runs.
      vectors: of a run's examples and then its queries, run after run, by the embedding's name.

    Returns:
      The figures.
    """
    runs, ways = data.train.shape[:2]
    figures = {}
    print(f"{runs} runs of {ways} characters of an alphabet never seen, one example of each:")
    for name, rows in vectors.items():
        train, test = np.split(rows.reshape(runs, -1, rows.shape[1]), [ways], axis=1)
        errors = one_shot_runs(train, test, data.answers)
        worst = f"{errors.min():.0%} to {errors.max():.0%} in a run"
        print(f"  {name:>13}: error {errors.mean():.2%}, {worst}")
        figures[f"{prefix(name)}official_{ways}way_error"] = float(errors.mean())
    return figures


def evaluate_held_out(
    key: jax.Array,
    data: Omniglot,
    rows: np.ndarray,
    vectors: Mapping[str, np.ndarray],
    *,
    names: Sequence[str],
    episodes: int,
    picture: Path,
) -> dict[str, float]:
    """Judges by episodes of alphabets held out, mixed and each that is large enough alone.

    Args:
      key: random key of the episodes.
      data: the characters.
      rows: [N] of these alphabets.
      vectors: [N, D] by the embedding's name.
      names: of these alphabets.
      episodes: how many of each kind.
      picture: where neighbors are drawn.

    Returns:
      The figures.
    """
    characters, alphabets = data.characters[rows], data.alphabets[rows]
    among = {"": np.arange(len(rows))}
    for alphabet in names:
        own = np.flatnonzero(alphabets == data.names.index(alphabet))
        if len(names) > 1 and len(np.unique(characters[own])) >= WAYS:
            among[f"{alphabet.lower()}_"] = own
    figures = {}
    print(f"{episodes:,} episodes of {WAYS} characters never seen, mean and 95% interval:")
    for part, own in among.items():
        for shots in (1, 5):
            drawn = draw_episodes(
                key,
                characters[own],
                ways=WAYS,
                shots=shots,
                queries=QUERIES,
                episodes=episodes,
            )
            for name, all_vectors in vectors.items():
                score = episode_accuracy(all_vectors[own], drawn)
                figure = f"{prefix(name)}held_out_{part}{WAYS}way_{shots}shot"
                figures[f"{figure}_error"] = 1 - score.accuracy
                figures[f"{figure}_interval"] = score.interval
                told = f"{1 - score.accuracy:.2%} +- {score.interval:.2%}"
                where = part.rstrip("_") or "all held out"
                print(f"  {where}, {shots} of each, {name}: error {told}")
    draw_neighbors(
        picture,
        data.images[rows],
        characters,
        vectors,
        np.linspace(0, len(rows) - 1, SHOWN).astype(int),
        title="characters never seen, and what lies nearest",
    )
    return figures


def draw_runs(out: Path, data: Omniglot, vectors: Mapping[str, np.ndarray]) -> None:
    """Draws hardest.png, what the embedding mistakes, and neighbors.png, beside pixels.

    Args:
      out: the folder.
      data: with the runs.
      vectors: as for `evaluate_runs`.
    """
    runs, ways = data.train.shape[:2]
    distances = {}
    for name, rows in vectors.items():
        train, test = np.split(rows.reshape(runs, -1, rows.shape[1]), [ways], axis=1)
        distances[name] = np.square(test[:, :, None] - train[:, None]).sum(axis=3)
    _draw_hardest(out / "hardest.png", data, distances["embedding"])
    _draw_nearest(out / "neighbors.png", data, distances)


def prefix(embedding: str) -> str:
    """Returns what stands before the figures of another embedding than the one learned."""
    return "" if embedding == "embedding" else embedding.replace(" ", "_") + "_"


def _draw_hardest(path: Path, data: Omniglot, distances: np.ndarray) -> None:
    """Draws the queries that are farthest on the wrong side, their nearest and the right ones.

    Args:
      path: the picture.
      data: with its runs.
      distances: [R, Q, W] of each query to its run's examples.
    """
    own = data.answers[:, :, None] == np.arange(distances.shape[2])
    right = distances[own].reshape(data.answers.shape)
    others = np.where(own, np.inf, distances)
    behind = right - others.min(axis=2)
    order = np.argsort(-behind, axis=None, kind="stable")[:HARDEST]
    runs, queries = np.unravel_index(order, behind.shape)
    pictures = {
        "to recognise": data.test[runs, queries],
        "nearest other": data.train[runs, others.argmin(axis=2)[runs, queries]],
        "right one": data.train[runs, data.answers[runs, queries]],
    }
    write_rows(
        path,
        {name: images / 255 for name, images in pictures.items()},
        title=f"the hardest of {behind.size} queries; {np.sum(behind > 0)} were mistaken",
    )


def _draw_nearest(path: Path, data: Omniglot, distances: Mapping[str, np.ndarray]) -> None:
    """Draws the first query of some runs and its run's examples, the nearest first.

    Args:
      path: the picture.
      data: with its runs.
      distances: [R, Q, W] by the embedding's name, a row for each.
    """
    runs = np.arange(0, len(data.test), max(1, len(data.test) // SHOWN))[:SHOWN]
    order = {
        name: np.argsort(of[runs, 0], axis=1, kind="stable")[:, :NEAREST]
        for name, of in distances.items()
    }
    # A query's rows below one another.
    rows = [(run, name) for run in range(len(runs)) for name in distances]
    near = np.array([order[name][run] for run, name in rows])
    number = runs[[run for run, _ in rows]]
    write_neighbor_rows(
        path,
        data.test[number, 0],
        data.train[number[:, None], near],
        np.array([distances[name][runs[run], 0] for run, name in rows])[
            np.arange(len(rows))[:, None], near
        ],
        near == data.answers[number, 0][:, None],
        names=[name for _, name in rows],
        title="a character never seen, and one example of each of its alphabet",
    )
