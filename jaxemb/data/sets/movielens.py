"""MovieLens (the small set): which films users rated, and when."""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import read_members
from jaxemb.data.events import Events, read_events
from jaxemb.data.item_titles import Titles, read_titles
from jaxemb.data.prepare import NamedSet, missing_file

_FOLDER = Path("movielens")
_NAMES = ("ratings.csv", "movies.csv", "tags.csv")
_SOURCES = re.compile(rf"(?:^|/)({'|'.join(map(re.escape, _NAMES))})$")
COLUMNS = ("userId", "movieId", "timestamp")
"""Of ratings.csv: user, item and time."""


def ratings(data_dir: Path) -> Path:
    """Returns the file of ratings.

    Raises:
      InputError: saying how to get it, if it is missing.
    """
    return _there(data_dir / _FOLDER / _NAMES[0])


def films(data_dir: Path) -> Path:
    """Returns the file of titles and genres.

    Raises:
      InputError: saying how to get it, if it is missing.
    """
    return _there(data_dir / _FOLDER / _NAMES[1])


def read(data_dir: Path) -> tuple[Events, Titles]:
    """Reads the ratings as events that weigh the same, whatever the stars, and the films' titles.

    Raises:
      InputError: if a file is missing or damaged.
    """
    events = read_events(ratings(data_dir), COLUMNS)
    return events, read_titles(films(data_dir), events.item_names)


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Copies the tables out of ml-latest-small.zip, or of a folder.

    Args:
      paths: what was fetched.
      folder: where they go.
    """
    (folder / _FOLDER).mkdir()
    for member in read_members(paths, _SOURCES, most=1 << 30):
        (folder / _FOLDER / member.found[1]).write_bytes(member.data)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise missing_file(path, "movielens", "the file of that name of ml-latest-small.zip")
    return path


SOURCE = NamedSet(
    name="movielens",
    what="100,000 ratings of 9,000 films by 600 users, with times; titles, genres, tags",
    license="GroupLens's own: for research, not to be passed on",
    source="ml-latest-small.zip of https://grouplens.org/datasets/movielens/latest/",
    megabytes=0,
    files=tuple(f"movielens/{name}" for name in _NAMES[:2]),
    convert=convert,
    check=read,
)
