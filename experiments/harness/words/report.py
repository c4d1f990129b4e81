"""A table and a picture of what ways to make word vectors score."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from jaxemb.plots.intervals import Panel, Series, write_interval_panels

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


class Mean(NamedTuple):
    """Of several runs; nan where there is none."""

    value: float
    interval: float  # half the width of the 95% interval


Rows = Mapping[Name, Mapping[str, Mean]]


def mean_of(values: Iterable[float]) -> Mean:
    """Averages a figure of several runs.

    Args:
      values: [N]; nan where a run doesn't have it, which then doesn't count.

    Returns:
      The mean, nan of no run; half the width of its 95% interval by Student's t with N - 1 degrees
      of freedom, nan of fewer than two.
    """
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return Mean(known[0] if known else math.nan, math.nan)
    error = float(np.std(known, ddof=1)) / math.sqrt(len(known))
    return Mean(float(np.mean(known)), float(student.ppf(0.975, len(known) - 1)) * error)


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
