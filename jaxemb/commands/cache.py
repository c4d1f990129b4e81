"""Tells what is kept to be quick the next time, how large it is, and clears it."""

import dataclasses
import shutil
from pathlib import Path
from typing import Literal

import pooch

KINDS = {
    "compiled": "programs",
    "encoded": "texts as word ids",
    "pydoc": "docstrings of the installed libraries",
    "downloads": "archives of data sets",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Tells where compiled programs, encoded texts and downloads are kept, and how large they are.

    All of it is made or fetched again when it is needed. XDG_CACHE_HOME names another place. Data
    sets there are left alone.
    """

    clear: Literal["nothing", "compiled", "encoded", "pydoc", "downloads", "all"] = "nothing"
    """What to delete."""


def run(config: Config) -> None:
    """Lists, and deletes what is asked for."""
    home = Path(pooch.os_cache("jaxemb"))
    for kind, what in KINDS.items():
        paths = sorted(home.glob(f"{kind}*"))
        size = sum(
            file.stat().st_size
            for path in paths
            for file in (path.rglob("*") if path.is_dir() else [path])
            if file.is_file()
        )
        cleared = config.clear in (kind, "all")
        if cleared:
            for path in paths:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        told = "cleared" if cleared else "kept"
        print(f"{home / kind}: {size / 1e6:,.1f} MB of {what}, {told}")
