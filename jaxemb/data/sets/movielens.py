"""MovieLens (the small set): which films users rated, and when."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.data.archives import read_members
from jaxemb.data.events import Events, read_columns, read_events
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


def tagged(data_dir: Path) -> Path:
    """Returns the file of tags.

    Raises:
      InputError: saying how to get it, if it is missing.
    """
    return _there(data_dir / _FOLDER / _NAMES[2])


def tags(data_dir: Path, events: Events, *, held: int = 2) -> list[tuple[str, ...]]:
    """Reads what users said of films, in small letters.

    Args:
      data_dir: where the set lies.
      events: the ratings, items called by their ids.
      held: newest events of each user that are to be predicted: what the user said of their films,
        whenever, is left out, since it tells of the event.

    Returns:
      Of each item its tags in order, each once.

    Raises:
      InputError: if the file is missing or damaged.
    """
    path = tagged(data_dir)
    found = read_columns(path, {"user": "userId", "item": "movieId", "tag": "tag"})
    newest = events.starts[1:][events.users] - np.arange(len(events.users)) <= held
    left_out = {
        (events.user_names[user], events.item_names[item])
        for user, item in zip(events.users[newest], events.items[newest], strict=True)
    }
    said = defaultdict(set)
    for user, item, tag in zip(*(found[name].tolist() for name in found), strict=True):
        if (str(user), str(item)) not in left_out:
            said[str(item)].add(tag.strip().lower())
    return [tuple(sorted(said[name])) for name in events.item_names]


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
