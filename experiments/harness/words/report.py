"""A table and a picture of what ways to make word vectors score."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxemb.plots.intervals import Panel, Series, write_interval_panels

from ..means import Mean
from ..tables import markdown
from .systems import SYSTEMS, Name

# Of all sets that may be found, these come first and under these names.
SETS = {
    "wordsim353_sim": "WordSim-353 similarity",
    "wordsim353_rel": "WordSim-353 relatedness",
    "men": "MEN",
    "rare_words": "rare words",
    "analogies": "analogies",
    "analogies_semantic": "semantic analogies",
    "analogies_syntactic": "syntactic analogies",
}


Rows = Mapping[Name, Mapping[str, Mean]]


def show(name: str, mean: Mean) -> str:
    """Returns a figure with its interval, as many digits as suit it and its unit."""
    if math.isnan(mean.value):
        return "–"
    digits = 1 if name.startswith(("analogies", "seconds")) else 3
    interval = "" if math.isnan(mean.interval) else f" ± {mean.interval:.{digits}f}"
    return f"{mean.value:.{digits}f}{interval}{'%' if name.startswith('analogies') else ''}"


def tabulate(rows: Rows) -> str:
    """Returns the means with their intervals as a table in Markdown."""
    names = list(next(iter(rows.values())))
    header = ["system", *(SETS.get(name, name) for name in names)]
    lines = (
        [SYSTEMS[system].title, *(show(name, mean) for name, mean in row.items())]
        for system, row in rows.items()
    )
    return "".join(f"{line}\n" for line in markdown(header, lines, figures=True))


def note(missing: Mapping[str, float], *, seeds: int) -> str:
    """Returns what is to be known of the table.

    Args:
      missing: for each set the pairs or questions left out.
      seeds: of each system.
    """
    counts = ", ".join(f"{count:,.0f} of {SETS.get(name, name)}" for name, count in missing.items())
    return (
        f"Means of {seeds} seeds ± half the width of their 95% intervals, by Student's t "
        f"with {seeds} - 1 degrees of freedom.\n"
        "–: no time, for nothing is trained; no score, for too few words are known or all cosines "
        "are equal.\n"
        f"Pairs and questions left out, a word of which is not in the vocabulary: {counts}.\n"
    )


def draw(path: Path, rows: Rows, *, title: str) -> None:
    """Draws the means with their intervals: correlations, analogies and seconds."""
    names = list(next(iter(rows.values())))
    analogies = [name for name in names if name.startswith("analogies")]
    similarity = [name for name in names if name not in (*analogies, "seconds")]

    def panel(x: str, shown: Sequence[str], low: float, high: float) -> Panel:
        series = []
        for name in shown:
            values, intervals = np.array([row[name] for row in rows.values()]).T
            # Few seeds make intervals that reach beyond what is possible.
            ends = np.clip([values - intervals, values + intervals], low, high)
            series.append(Series(SETS.get(name, name), values, *ends))
        return Panel(x, series)

    panels = [
        panel("Spearman's correlation with people", similarity, -1, 1),
        panel("analogies answered rightly, %", analogies, 0, 100),
        panel("training, seconds", ["seconds"], 0, math.inf),
    ]
    write_interval_panels(
        path,
        [SYSTEMS[system].title for system in rows],
        [panel for panel in panels if panel.series],
        title=title,
    )
