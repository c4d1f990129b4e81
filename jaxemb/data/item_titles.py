"""Titles and kinds of items: a table whose columns are id, title and kinds."""

import collections
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.table_text import MISSING, Layout
from jaxemb.data.tables import read_table
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")

# Kinds that have a color of their own, at most.
_COLORS = 12
_OTHER = "other"
_YEAR = re.compile(r"\((\d{4})\)")


class Titles(NamedTuple):
    """What is told of items.

    Attributes:
      titles: I, all different; an item without one has its id.
      kinds: I tuples, as ("Comedy", "Drama"); empty where none is told.
      tags: I tuples of what users said of the items; None where that was not read.
    """

    titles: list[str]
    kinds: list[tuple[str, ...]]
    tags: list[tuple[str, ...]] | None = None

    def features(self) -> list[tuple[str, ...]]:
        """Returns each item's kinds, the decade of the year in its title as "1990s", and tags."""
        years = [_YEAR.findall(title) for title in self.titles]
        decades = [(f"{found[-1][:3]}0s",) if found else () for found in years]
        tags = self.tags or [()] * len(self.titles)
        return [sum(some, ()) for some in zip(self.kinds, decades, tags, strict=True)]

    def classes(self, count: int) -> tuple[np.ndarray | None, list[str]]:
        """Returns one kind of each of the first items, for colors.

        Of an item's kinds it is the rarest among the most frequent ones, which tells most; no
        kind, or none of these, is "other".

        Args:
          count: of the items, N.

        Returns:
          labels: [N] int, positions in the classes; None if there are no kinds.
          classes: their names, most frequent first.
        """
        kinds = self.kinds[:count]
        often = collections.Counter(kind for some in kinds for kind in some)
        if not often:
            return None, []
        known = dict(often.most_common(_COLORS))
        chosen = [
            min(
                (kind for kind in some if kind in known),
                key=lambda kind: known[kind],
                default=_OTHER,
            )
            for some in kinds
        ]
        classes = [kind for kind, _ in collections.Counter(chosen).most_common() if kind != _OTHER]
        classes += [_OTHER] * (_OTHER in chosen)
        return np.array([classes.index(kind) for kind in chosen]), classes

    def columns(self, count: int) -> dict[str, np.ndarray]:
        """Returns all kinds of each of the first items as text, by the name of the column."""
        if not any(self.kinds):
            return {}
        return {"kinds": np.array([", ".join(some) for some in self.kinds[:count]])}


def read_titles(path: Path, items: Sequence[str], layout: Layout | None = None) -> Titles:
    """Reads titles and kinds of items.

    Args:
      path: a table as of `jaxemb.data.tables.read_table`, of two or three columns or more: the
        item's id, its title, and its kinds with bars between, as "Comedy|Drama".
      items: I ids.
      layout: what the file does not say.

    Returns:
      Of each item its title and kinds. A title that several items have is followed by the id.

    Raises:
      InputError: if it is no such table, or no item is in it.
    """
    table = read_table(path, layout, numbers=())
    columns = list(table.texts.values())
    if len(columns) < 2:
        raise InputError(
            f"{path}: titles need a column of ids and one of titles, found {len(columns)} columns"
        )
    rows = {str(item): row for row, item in enumerate(columns[0].tolist())}
    found = [rows.get(item) for item in items]
    lacking = found.count(None)
    if lacking == len(items):
        raise InputError(
            f"{path}: has the title of none of {len(items):,} items, e.g. not of {items[0]!r}; its "
            f"first column must hold ids, found {columns[0][0]!s:.40}, ..."
        )
    if lacking:
        _logger.info(f"{path.name}: {lacking:,} of {len(items):,} items have no title")
    names = [
        str(item if row is None or columns[1][row] in MISSING else columns[1][row])
        for item, row in zip(items, found, strict=True)
    ]
    often = collections.Counter(names)
    titles = [
        name if often[name] == 1 else f"{name} [{item}]"
        for name, item in zip(names, items, strict=True)
    ]
    kinds = [
        () if row is None or len(columns) < 3 else _kinds(str(columns[2][row])) for row in found
    ]
    return Titles(titles, kinds)


def _kinds(cell: str) -> tuple[str, ...]:
    # MovieLens says "(no genres listed)".
    if cell in MISSING or cell.startswith("(no "):
        return ()
    return tuple(kind.strip() for kind in cell.split("|") if kind.strip())
