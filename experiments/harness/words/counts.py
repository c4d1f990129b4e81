"""What the experiments on co-occurrence counts share: counting within a memory limit."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from scipy.sparse import csr_array

from jaxemb.data import sparse_counts
from jaxemb.data.sparse_counts import Pairs
from jaxemb.errors import InputError


def check_memory(pairs: Pairs, megabytes: int) -> None:
    """Refuses too small a memory.

    Args:
      pairs: what is to be counted.
      megabytes: --memory-limit.

    Raises:
      InputError: naming what is needed.
    """
    try:
        sparse_counts.check_memory(pairs, megabytes * 1_000_000)
    except InputError as error:
        raise InputError(f"--memory-limit {megabytes}: {error}") from error


@contextlib.contextmanager
def counted(pairs: Pairs, out: Path, megabytes: int) -> Iterator[csr_array]:
    """Counts, with a progress bar, to a matrix that is on disk while it is used.

    Args:
      pairs: what to count.
      out: the run's folder: a system's for temporary files may be too small.
      megabytes: --memory-limit.

    Yields:
      As `sparse_counts.count` does.
    """
    folder = out / "counts"
    folder.mkdir(exist_ok=True)
    try:
        yield sparse_counts.count(pairs, folder, memory_limit=megabytes * 1_000_000, progress=True)
    finally:
        shutil.rmtree(folder)
