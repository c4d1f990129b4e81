"""Figures of relationships between words, printed, written and drawn."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxemb import io
from jaxemb.evaluation.analogies import AnalogyScore
from jaxemb.evaluation.parallelism import Parallelism
from jaxemb.factorize import pca
from jaxemb.losses.distances import unit
from jaxemb.plots import substructure
from jaxemb.plots.intervals import Series, write_intervals

from ..tables import write_csv

# Pairs of a relation that are drawn.
DRAWN = 12
# Relations in the picture of several, and pairs that one there needs at least.
PANELS, PANEL_PAIRS = 6, 5


class Found(NamedTuple):
    """A relation in the vectors."""

    name: str
    asked: int  # pairs of the list
    pairs: list[tuple[str, str]]  # those of which both words are known
    rows: np.ndarray  # [P, 2] int, their rows
    unknown: list[str]  # words, in alphabetical order
    score: AnalogyScore
    parallel: Parallelism


def print_relations(relations: Sequence[Found]) -> None:
    """Prints a line for each relation, and the words that are unknown."""
    width = max(len(found.name) for found in relations)
    print(
        f"\n{'':{width}} {'pairs':>13} {'analogies %':>15} {'asked':>7}  cosine of two offsets\n"
        f"{'':{width}} {'known':>5} {'of':>7} {'3CosAdd':>7} {'3CosMul':>7} {'':>7}  "
        f"{'mean':>5}  {'95% interval':<14} {'shuffled':>8}  {'excess, 95%':<14}"
    )
    for found in relations:
        score, parallel = found.score, found.parallel
        low, high = parallel.interval
        print(
            f"{found.name:{width}} {len(found.pairs):5} {found.asked:7} {score.percent_add:7.1f} "
            f"{score.percent_mul:7.1f} {score.asked:7,}  {parallel.cosine:5.2f}  "
            f"[{low:5.2f}, {high:5.2f}] {parallel.shuffled:8.2f}  "
            "[{:5.2f}, {:5.2f}]".format(*parallel.excess_interval)
        )
    for found in relations:
        if found.unknown:
            shown = ", ".join(found.unknown[:8]) + (", ..." if len(found.unknown) > 8 else "")
            print(f"{found.name}: unknown words ({len(found.unknown)}): {shown}")


def write_tables(out: Path, relations: Sequence[Found]) -> None:
    """Writes the figures of each relation, and all words that are unknown."""
    figures = [{"relation": found.name, **_figures(found)} for found in relations]
    write_csv(out / "relations.csv", list(figures[0]), [list(row.values()) for row in figures])
    unknown = [(found.name, word) for found in relations for word in found.unknown]
    write_csv(out / "unknown.csv", ["relation", "word"], unknown)


def _figures(found: Found) -> dict[str, float]:
    low, high = found.parallel.interval
    excess_low, excess_high = found.parallel.excess_interval
    return {
        "pairs": found.asked,
        "known": len(found.pairs),
        "unknown_words": len(found.unknown),
        "asked": found.score.asked,
        "percent_add": found.score.percent_add,
        "percent_mul": found.score.percent_mul,
        "cosine": found.parallel.cosine,
        "cosine_low": low,
        "cosine_high": high,
        "cosine_shuffled": found.parallel.shuffled,
        "excess_low": excess_low,
        "excess_high": excess_high,
    }


def figures_of(relations: Sequence[Found]) -> dict[str, float]:
    """Returns all figures by name, for the summary."""
    return {
        f"{plain_name(found.name)}_{name}": value
        for found in relations
        for name, value in _figures(found).items()
    }


def plain_name(name: str) -> str:
    """Returns a name that suits figures and files."""
    return re.sub(r"\W+", "_", name.lower())


def draw(out: Path, table: io.WordVectors, relations: Sequence[Found]) -> None:
    """Draws the cosines of all relations, and pairs of those that have three or more."""
    measured = [found for found in relations if not np.isnan(found.parallel.cosine)]
    if measured:
        true, shuffled = (
            np.array(rows).T
            for rows in (
                [(found.parallel.cosine, *found.parallel.interval) for found in measured],
                [
                    (found.parallel.shuffled, *found.parallel.shuffled_interval)
                    for found in measured
                ],
            )
        )
        write_intervals(
            out / "parallelism.png",
            [found.name for found in measured],
            [Series("as paired", *true), Series("shuffled", *shuffled)],
            x="mean cosine between the offsets of two pairs, with its 95% interval",
            title="How parallel are relationships?",
        )
    (out / "substructures").mkdir(exist_ok=True)
    panels = []
    for number, found in enumerate(relations, 1):
        if len(found.pairs) < 3:
            continue
        panel, control = project(table, found)
        panels += [panel] if len(found.pairs) >= PANEL_PAIRS else []
        name = f"{number:02}_{plain_name(found.name)}.png"
        substructure.write_substructures(out / "substructures" / name, [panel, control])
    if panels:
        substructure.write_substructures(out / "substructures.png", panels[:PANELS], columns=3)


def project(
    table: io.WordVectors, found: Found
) -> tuple[substructure.Relation, substructure.Relation]:
    """Lays a relation's most frequent pairs out in the plane in which its words vary most.

    Returns:
      Panels: as it is, and as a control the same points, each first word joined to the second word
      of another pair.
    """
    frequent = np.argsort(found.rows.max(axis=1), kind="stable")[:DRAWN]
    rows = found.rows[frequent]
    directions = unit(jnp.asarray(table.vectors[rows.ravel()]))
    plane = np.array(pca.transform(pca.fit(directions, components=2), directions)).reshape(-1, 2, 2)
    # Offsets point up and to the right, whatever the signs of the directions.
    offset = (plane[:, 1] - plane[:, 0]).mean(axis=0)
    plane *= np.where(offset < 0, -1, 1)
    pairs = [found.pairs[i] for i in frequent]
    low, high = found.parallel.interval
    note = f"mean cosine of two offsets {found.parallel.cosine:.2f} [{low:.2f}, {high:.2f}]"
    other = (
        f"as a control: words joined to those of another pair, mean {found.parallel.shuffled:.2f}"
    )
    order = np.arange(len(pairs))
    return (
        substructure.Relation(found.name, pairs, plane, order, note),
        substructure.Relation(found.name, pairs, plane, np.roll(order, 1), other),
    )
