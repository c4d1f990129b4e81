"""Graphs: tables of edges to checked arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

from jaxemb import checks
from jaxemb.data.events import numbered, read_columns, weights_of
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError

_MEANINGS = ("source", "target", "weight")


class Graph(NamedTuple):
    """Nodes and the edges between them.

    Attributes:
      weights: [N, N] float64 above 0, columns ascending in each row; symmetric unless directed.
      names: N.
    """

    weights: csr_array
    names: list[str]


def from_edges(sources: Any, targets: Any, weights: Any = None, *, directed: bool = False) -> Graph:
    """Checks edges that are in memory.

    Args:
      sources: [E] names or whole numbers of nodes.
      targets: [E] likewise.
      weights: [E] numbers above 0; None for 1. Those of an edge that is there twice add up.
      directed: whether edges lead from source to target alone.

    Returns:
      The graph.

    Raises:
      InputError: naming the first bad entry; and if there are fewer than two nodes.
    """
    rows = len(sources)
    if not rows:
        raise InputError("there is no edge")
    # Checked apart, since a list is told from another by its length.
    ends = [
        checks.as_labels(side, rows, name=name)
        for side, name in ((sources, "sources"), (targets, "targets"))
    ]
    if ends[0].dtype.kind != ends[1].dtype.kind:
        ends = [side.astype(str) for side in ends]
    nodes, names = numbered(np.concatenate(ends), 2 * rows, "nodes")
    if len(names) < 2:
        raise InputError(f"all {rows:,} edges lead from {names[0]!r} to itself: one node")
    amounts = np.ones(rows) if weights is None else weights_of(weights, rows).astype(np.float64)
    a, b = nodes[:rows], nodes[rows:]
    if not directed:
        loops = a == b
        a, b = np.concatenate([a, b[~loops]]), np.concatenate([b, a[~loops]])
        amounts = np.concatenate([amounts, amounts[~loops]])
    matrix = coo_array((amounts, (a, b)), shape=(len(names), len(names))).tocsr()
    matrix.sort_indices()
    return Graph(matrix, names)


def read_edges(
    path: Path,
    columns: Sequence[str] = ("1", "2"),
    layout: Layout | None = None,
    *,
    directed: bool = False,
) -> Graph:
    """Reads edges from a table, an edge a row.

    Args:
      path: as for `jaxemb.data.tables.read_table`.
      columns: names or numbers of the columns of source, target and, if there is one, weight.
      layout: what the file does not say.
      directed: whether edges lead from source to target alone.

    Returns:
      The graph.

    Raises:
      InputError: naming the columns that there are if one is not, and as of `from_edges`.
    """
    if isinstance(columns, str) or not 2 <= len(columns) <= 3 or not all(columns[:2]):
        raise InputError(
            "columns must be those of source, target and, if there is one, weight, found "
            f"{columns!r}"
        )
    found = read_columns(path, dict(zip(_MEANINGS, columns, strict=False)), layout)
    try:
        return from_edges(found["source"], found["target"], found.get("weight"), directed=directed)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
