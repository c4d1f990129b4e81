"""Maps as Parquet, for viewers of millions of points.

Embedding Atlas opens one with `embedding-atlas map.parquet --x x --y y --neighbors neighbors`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chex
import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError


def write(
    path: Path,
    points: np.ndarray,
    columns: Mapping[str, Any],
    *,
    neighbors: tuple[np.ndarray, np.ndarray] | None = None,
) -> None:
    """Writes a map with what is known of its points, a row each.

    Args:
      path: the file, such as `map.parquet`.
      points: [N, 2] their places in the map; columns `x` and `y`.
      columns: further columns, by name: [N] numbers, times or text; anything else becomes text.
        One that is called as another gets an underscore.
      neighbors: [N, k] ids, which are numbers of rows, and [N, k] distances; the column
        `neighbors` of records `{ids, distances}`. None leaves it out.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if pyarrow is not installed.
      OSError: if the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            f"{path}: Parquet needs pyarrow: python -m pip install 'jaxemb[parquet]'"
        ) from error
    size = len(points)
    chex.assert_shape(points, (size, 2))
    table = {"x": pa.array(points[:, 0]), "y": pa.array(points[:, 1])}
    taken = {*table, "neighbors"} if neighbors is not None else set(table)
    for name, values in columns.items():
        column = np.asarray(values)
        chex.assert_shape(column, (size,))
        while name in taken:
            name += "_"
        taken.add(name)
        if column.dtype.kind in "fiubM":
            table[name] = pa.array(column)
        else:
            texts = [None if v is None or v != v else str(v) for v in column.tolist()]
            table[name] = pa.array(texts, pa.string())
    if neighbors is not None:
        ids, distances = neighbors
        chex.assert_shape([ids, distances], (size, None))
        starts = np.arange(0, ids.size + 1, ids.shape[1], dtype=np.int32)
        lists = [pa.ListArray.from_arrays(starts, part.ravel()) for part in (ids, distances)]
        table["neighbors"] = pa.StructArray.from_arrays(lists, ["ids", "distances"])
    with replacing(path) as part:
        parquet.write_table(pa.table(table), part)
