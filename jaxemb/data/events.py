"""Who met what and when: tables of users and items to checked arrays."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxemb import checks
from jaxemb.data.table_text import MISSING, Layout, Table
from jaxemb.data.tables import find_column, read_table
from jaxemb.errors import InputError, UnknownWordError

_logger = logging.getLogger("jaxemb")

_MEANINGS = ("user", "item", "time", "weight")


class Events(NamedTuple):
    """Events, user by user, each user's in the order of time.

    Attributes:
      users: [E] int32, positions in user_names, ascending.
      items: [E] int32, positions in item_names.
      weights: [E] float32 above 0.
      times: [E] int64 or float64, ascending for each user; None where none are known, and the
        events of a user stand in the order given.
      user_names: U.
      item_names: I, the one of most events first, else by name.
    """

    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    times: np.ndarray | None
    user_names: list[str]
    item_names: list[str]

    @property
    def starts(self) -> np.ndarray:
        """[U + 1] int, where the events of each user begin, and where the last ones end."""
        return np.searchsorted(self.users, np.arange(len(self.user_names) + 1))

    def history(self, user: str | int) -> list[str]:
        """Returns the items of a user, in order.

        Raises:
          UnknownWordError: which is a KeyError, if there is no event of this user.
        """
        if str(user) not in self.user_names:
            raise UnknownWordError(
                f"no event is of user {str(user)!r}; there are {len(self.user_names):,} users: "
                f"{', '.join(self.user_names[:5])}, ..."
            )
        at = self.user_names.index(str(user))
        start, end = self.starts[at : at + 2]
        return [self.item_names[item] for item in self.items[start:end]]

    def at(self, rows: np.ndarray) -> "Events":
        """Returns some of the events, of the same users and items.

        Args:
          rows: [E] bool, or ascending places.
        """
        times = None if self.times is None else self.times[rows]
        return self._replace(
            users=self.users[rows],
            items=self.items[rows],
            weights=self.weights[rows],
            times=times,
        )


def from_events(users: Any, items: Any, times: Any = None, weights: Any = None) -> Events:
    """Checks and sorts events that are in memory.

    Args:
      users: [E] names or whole numbers.
      items: [E] names or whole numbers.
      times: [E] numbers, dates of NumPy or pandas, or ISO 8601 strings. None: the events of a user
        stand in the order of time.
      weights: [E] numbers above 0, e.g. how often or how long; None for 1. Of an event that
        repeats a user and an item, weights add up.

    Returns:
      The events. Those at the same time stay in the order given.

    Raises:
      InputError: naming the first bad entry; and if there are fewer than two users or items.
    """
    rows = len(users)
    if not rows:
        raise InputError("there is no event")
    user_rows, user_names = numbered(users, rows, "users")
    item_rows, item_names = numbered(items, rows, "items")
    for what, names in (("user", user_names), ("item", item_names)):
        if len(names) < 2:
            raise InputError(
                f"all {rows:,} events are of the {what} {names[0]!r}, two or more are needed; do "
                f"these values name {what}s?"
            )
    counts = np.bincount(item_rows)
    ranked = np.argsort(-counts, kind="stable")
    item_rows = np.argsort(ranked)[item_rows]
    item_names = [item_names[row] for row in ranked]
    when = None if times is None else _times(times, rows)
    amounts = np.ones(rows, np.float32) if weights is None else weights_of(weights, rows)
    if when is None:
        order = np.argsort(user_rows, kind="stable")
    else:
        order = np.lexsort((when, user_rows))  # stable, too
        if (when[1:] < when[:-1]).any():
            _logger.info("the events are not in the order of time: each user's were sorted")
        if rows > 2 and when.min() == when.max():
            _logger.warning(f"all {rows:,} events are at the same time: they stay as they stand")
    events = Events(
        user_rows[order].astype(np.int32),
        item_rows[order].astype(np.int32),
        amounts[order],
        None if when is None else when[order],
        user_names,
        item_names,
    )
    pairs = np.unique(events.users.astype(np.int64) * len(item_names) + events.items)
    if len(pairs) < rows:
        _logger.info(f"{rows - len(pairs):,} of {rows:,} events repeat a user and an item")
    return events


def read_events(
    path: Path, columns: Sequence[str] = _MEANINGS[:3], layout: Layout | None = None
) -> Events:
    """Reads events from a table, an event a row.

    Args:
      path: as for `jaxemb.data.tables.read_table`.
      columns: names or numbers of the columns of user, item, time and weight; the last two may be
        missing, or empty.
      layout: what the file does not say.

    Returns:
      The events, as of `from_events`.

    Raises:
      InputError: naming the columns that there are if one is not, and as of `from_events`.
    """
    if isinstance(columns, str) or not 2 <= len(columns) <= 4 or not all(columns[:2]):
        raise InputError(
            f"columns must be those of user, item and, if there are any, time and weight, found "
            f"{columns!r}"
        )
    wanted = dict(zip(_MEANINGS, columns, strict=False))
    found = read_columns(path, wanted, layout)
    if "time" in found and found["time"].dtype.kind == "U":
        found["time"] = _parsed(found["time"], path, wanted["time"])
    try:
        return from_events(found["user"], found["item"], found.get("time"), found.get("weight"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_columns(
    path: Path, wanted: dict[str, str], layout: Layout | None = None
) -> dict[str, np.ndarray]:
    """Reads some columns of a table, as text but "weight".

    Args:
      path: as for `jaxemb.data.tables.read_table`.
      wanted: what a column means, and its name or number; "" for none.
      layout: what the file does not say.

    Returns:
      The columns that are wanted, by what they mean; an array's are numbers.

    Raises:
      InputError: naming the columns that there are if one is not; and where a cell names nobody.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    # Other columns may have gaps.
    table = read_table(path, layout, numbers=[wanted.get("weight", "")])
    found = {
        meaning: _column(table, find_column(path, name, table.order))
        for meaning, name in wanted.items()
        if name
    }
    for meaning, column in found.items():
        if meaning in ("time", "weight") or column.dtype.kind != "U":
            continue
        empty = np.isin(column, MISSING)
        if empty.any():
            raise InputError(
                f"{path}: row {np.flatnonzero(empty)[0] + 1}: column {wanted[meaning]!r} names no "
                f"{meaning}; {empty.sum():,} such rows. Delete them"
            )
    return found


def _column(table: Table, name: str) -> np.ndarray:
    if name in table.texts:
        return table.texts[name]
    # An array has columns, but no names for them.
    place = table.names.index(name) if table.names else int(name) - 1
    return table.values[:, place]


def numbered(values: Any, rows: int, name: str) -> tuple[np.ndarray, list[str]]:
    """Numbers names.

    Args:
      values: [N] whole numbers or names.
      rows: N.
      name: what to call them.

    Returns:
      [N] positions among all different ones, and their names in order.

    Raises:
      InputError: as of `checks.as_labels`.
    """
    found, positions = np.unique(checks.as_labels(values, rows, name=name), return_inverse=True)
    names = [str(one) for one in found.tolist()]
    if found.dtype.kind == "U" and all(map(str.isdecimal, names)):
        # 9 comes before 10, also as text.
        order = sorted(range(len(names)), key=lambda at: (len(names[at]), names[at]))
        positions, names = np.argsort(order)[positions], [names[at] for at in order]
    return positions, names


def _times(times: Any, rows: int) -> np.ndarray:
    array = np.asarray(times)
    if array.dtype.kind in "OUT":
        array = _parsed(np.array([str(one) for one in array]), None, "times")
    if array.dtype.kind == "M":
        missing = np.isnat(array)
        array = array.astype("datetime64[ns]").astype(np.int64)
    elif array.dtype.kind in "iuf":
        missing = ~np.isfinite(array)
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
    else:
        raise InputError(f"times must be numbers or dates, found {array.dtype}")
    if array.shape != (rows,):
        raise InputError(f"times must be one for each of {rows:,} events, found {array.shape}")
    if missing.any():
        raise _untimed(missing, "times")
    return array


def _parsed(texts: np.ndarray, path: Path | None, name: str) -> np.ndarray:
    """Returns times written as numbers or as dates, [E] float, int or datetime64."""
    import pandas  # loads slowly

    missing = np.isin(texts, [*MISSING, "NaT", "<NA>"])
    place = "" if path is None else f"{path}: "
    if missing.any():
        raise _untimed(missing, f"{place}column {name!r}" if path else name)
    for kind in (np.int64, np.float64):
        try:
            return texts.astype(kind)
        except (ValueError, OverflowError):
            pass
    found = pandas.to_datetime(pandas.Series(texts), format="ISO8601", utc=True, errors="coerce")
    bad = np.flatnonzero(found.isna())
    if bad.size:
        raise InputError(
            f"{place}row {bad[0] + 1}: {str(texts[bad[0]])!r:.60} in {name!r} is no time: numbers "
            f"and dates as 2026-11-30 or 2026-11-30T12:00 are; {bad.size:,} such rows"
        )
    return found.dt.tz_localize(None).to_numpy("datetime64[ns]")


def _untimed(missing: np.ndarray, what: str) -> InputError:
    return InputError(
        f"{what}: no time at row {np.flatnonzero(missing)[0] + 1}; {missing.sum():,} of "
        f"{len(missing):,} events have none, so they cannot be ordered. Delete them, or leave the "
        "times out: then the order given counts"
    )


def weights_of(weights: Any, rows: int) -> np.ndarray:
    """Returns weights [N] as float32.

    Raises:
      InputError: if one is not finite and above 0, or they are not N.
    """
    try:
        array = np.asarray(weights, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights must be numbers: {error}") from error
    if array.shape != (rows,):
        raise InputError(f"weights must be one for each of {rows:,} events, found {array.shape}")
    bad = np.flatnonzero(~((array > 0) & np.isfinite(array)))
    if bad.size:
        raise InputError(
            f"weights must be finite and more than 0, found {array[bad[0]]} at row {bad[0] + 1}; "
            f"{bad.size:,} such events. Leave out what did not happen"
        )
    return array
