"""Tables of numbers: text, Parquet and NumPy's files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jaxemb import checks
from jaxemb.data import columns, compressed, table_text
from jaxemb.data.table_text import Layout, Table
from jaxemb.errors import InputError
from jaxemb.memory import require_memory

TEXT = (".csv", ".tsv", ".txt", ".dat")
"""How the names of tables in text end; that of a compressed file may follow."""
FILES = (*TEXT, ".parquet", ".npy", ".npz")
"""How the names of tables end."""


def read_table(
    path: Path,
    layout: Layout | None = None,
    *,
    as_text: Iterable[str] = (),
    numbers: Iterable[str] | None = None,
) -> Table:
    """Reads a table.

    Args:
      path: CSV, or with tabs, semicolons, bars or blanks between cells, with or without a first
        line of names, decimal points or commas, plain or compressed; .parquet; a .npy array; or a
        .npz archive, in which one-dimensional arrays of as many entries are columns, too.
      layout: what the file does not say.
      as_text: names of columns whose numbers are names or classes, not quantities.
      numbers: names of all columns that hold quantities, of text and Parquet; None for all that
        can.

    Returns:
      The table. Columns without a name are called by their number, from 1.

    Raises:
      InputError: if the file is missing, damaged or something else; the message says where.
    """
    layout = layout or Layout()
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    kind = path.with_suffix("").suffix if path.suffix in compressed.ENDINGS else path.suffix
    if kind == ".npy":
        return _of_array(path, open_npy(path))
    if kind == ".npz":
        return _read_npz(path, layout.array, set(as_text))
    if kind == ".parquet":
        return _read_parquet(path, set(as_text), None if numbers is None else set(numbers))
    return table_text.read_text(
        path, layout, set(as_text), None if numbers is None else set(numbers)
    )


def find_column(path: Path, wanted: str, names: Sequence[str]) -> str:
    """Returns the column of this name, or of this number, from 1.

    Raises:
      InputError: naming the columns that there are.
    """
    if wanted in names:
        return wanted
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    raise InputError(f"{path}: no column {wanted!r}; there are {shown}")


def open_npy(path: Path) -> np.ndarray:
    """Maps a .npy array.

    Raises:
      InputError: if it is damaged, or holds Python objects.
    """
    try:
        # Mapped, so that the header's size is compared with the file's before memory is allocated.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _not_numpy(path, error) from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: a NumPy archive of several arrays; name it .npz")
    return array


def counts_rows(values: np.ndarray) -> bool:
    """Tells whether numbers [N] count the rows, from 0 or 1."""
    counted = np.arange(len(values)) + values[:1]
    return len(values) > 2 and values[0] in (0, 1) and bool(np.array_equal(values, counted))


def _of_array(path: Path, array: np.ndarray) -> Table:
    if array.dtype.kind in "mM":
        raise InputError(
            f"{path}: times are no numbers yet, found {array.dtype}; .astype('int64') makes them so"
        )
    if array.ndim < 2 or array.dtype.kind not in "fiub" or not array.size:
        raise InputError(
            f"{path}: expected an array [N, D] of real numbers, found {list(array.shape)} of "
            f"{array.dtype!s:.80}"
        )
    return Table(array, None, {})


def _read_npz(path: Path, wanted: str, as_text: set[str]) -> Table:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not hasattr(archive, "files"):
                raise InputError(f"{path}: one NumPy array, no archive; name it .npy")
            arrays = {name: archive[name] for name in archive.files}
    except InputError:
        raise
    except Exception as error:  # zipfile's and zlib's errors are of many kinds
        raise _not_numpy(path, error) from error
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
    tables = [name for name, array in arrays.items() if array.ndim >= 2]
    if wanted and wanted not in arrays:
        raise InputError(f"{path}: no array {wanted!r}; there are {shapes}")
    if not wanted and {"format", "shape", "data"} <= arrays.keys():
        return _of_array(path, _dense(path))
    if not wanted and len(tables) != 1:
        raise InputError(
            f"{path}: {len(tables)} arrays may hold the points; `array` names it, of {shapes}"
        )
    name = wanted or tables[0]
    table = _of_array(path, arrays.pop(name))
    texts = {
        other: np.array(_as_texts(array))
        for other, array in arrays.items()
        if array.shape == (len(table.values),) and array.dtype.kind in "iubfU"
    }
    return table._replace(texts=texts)


def _dense(path: Path) -> np.ndarray:
    """Reads what `scipy.sparse.save_npz` wrote."""
    from scipy import sparse  # loads slowly

    try:
        table = sparse.load_npz(path)
        checks.check_sparse(table)
    except Exception as error:  # of many kinds, where the arrays don't fit one another
        raise InputError(f"{path}: is no sparse matrix of SciPy's: {error!s:.200}") from error
    rows, columns = table.shape
    require_memory(
        table.dtype.itemsize * rows * columns,
        f"{rows:,} sparse points of {columns:,} numbers, made dense,",
        "reduce them with jaxemb.pca.fit first, which takes them as they are",
    )
    return table.toarray()


def _read_parquet(path: Path, as_text: set[str], numbers: set[str] | None) -> Table:
    pyarrow, file = columns.open_parquet(path)
    try:
        frame = file.read().to_pandas()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read or is damaged: {error}") from error
    if frame.index.dtype.kind not in "iu":
        frame = frame.reset_index()
    names, parts, texts = [], [], {}
    for name, column in frame.items():
        values = column.to_numpy()
        first = values[0] if len(values) else None
        named = str(name) in as_text or (numbers is not None and str(name) not in numbers)
        if named or values.dtype.kind not in "fiubO":
            texts[str(name)] = np.array([str(value) for value in values])
        elif values.dtype.kind != "O":
            names.append(str(name))
            parts.append(values[:, None])
        elif isinstance(first, (np.ndarray, list)):
            try:
                rows = np.stack([np.asarray(value, float) for value in values])
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{path}: column {name!r} holds lists that differ in length, or no numbers"
                ) from error
            names += [f"{name} {place}" for place in range(1, rows.shape[1] + 1)]
            parts.append(rows)
        else:
            texts[str(name)] = np.array(["" if value is None else str(value) for value in values])
    rows = np.concatenate(parts, axis=1) if parts else np.empty((len(frame), 0))
    return Table(rows, tuple(names), texts)


def texts_of(path: Path, array: np.ndarray) -> list[str]:
    """Returns labels [N], whole numbers or names, as texts.

    Raises:
      InputError: if they are something else.
    """
    whole = array.dtype.kind == "f" and np.array_equal(array, np.rint(array))
    if array.ndim != 1 or (array.dtype.kind not in "iubU" and not whole):
        raise InputError(
            f"{path}: labels must be a list of integers or strings, found {list(array.shape)} of "
            f"{array.dtype}"
        )
    return _as_texts(array)


def _as_texts(array: np.ndarray) -> list[str]:
    """Returns entries [N] as texts, whole numbers without a point."""
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)):
        array = array.astype(np.int64)
    return [str(entry) for entry in array.tolist()]


def _not_numpy(path: Path, error: Exception) -> InputError:
    if "object" in str(error).lower():
        return InputError(
            f"{path}: holds Python objects, which only pickle reads, and pickle can run any code. "
            "Write it as np.float32, or labels as integers or strings"
        )
    return InputError(f"{path}: cannot be read by NumPy: {error}. Is it truncated?")
