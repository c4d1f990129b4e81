"""Prepares named data sets: fetches what their sources give, and converts it."""

import contextlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pooch

from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

_logger = logging.getLogger("jaxemb")


class Download(NamedTuple):
    """A file and its checksum.

    Attributes:
      url: where it lies.
      checksum: as others publish it: "md5:", "sha1:" or "sha256:" and the number; None if nobody
        does, for what comes from its authors by HTTPS and is checked picture by picture.
    """

    url: str
    checksum: str | None


class Dump(NamedTuple):
    """A file that is replaced every month by one of another name.

    Attributes:
      checksums: URL of the newest files' SHA-1 checksums: a line each, with the file's name.
      name: pattern of the name, whose group is the date.
      folder: URL of the folder that it lies in, with {date} in it.
    """

    checksums: str
    name: re.Pattern[str]
    folder: str


class NamedSet(NamedTuple):
    """A data set that people can get.

    Attributes:
      name: what it is called.
      what: it is, in a few words.
      license: as its source states it.
      source: where it comes from: what to fetch by hand, too.
      megabytes: to fetch.
      files: patterns of the files that it is made of, in the folder of the data sets; a bar is
        between those of which one will do.
      convert: writes them to a folder, from files and folders that were fetched.
      check: reads what was written; an InputError tells what is wrong with it.
      downloads: what is fetched; none if nobody publishes checksums.
    """

    name: str
    what: str
    license: str
    source: str
    megabytes: int
    files: tuple[str, ...]
    convert: Callable[[Sequence[Path], Path], None]
    check: Callable[[Path], object]
    downloads: tuple[Download | Dump, ...] = ()


def find(named: NamedSet, data_dir: Path) -> list[Path]:
    """Returns the files of a data set, or none unless all of them are there."""
    found = [
        [path for one in patterns.split("|") for path in sorted(data_dir.glob(one))]
        for patterns in named.files
    ]
    return [path for paths in found for path in paths] if all(found) else []


def prepare(named: NamedSet, data_dir: Path, fetched: Sequence[Path] = ()) -> list[Path]:
    """Makes a data set of what its source gives.

    Files are written beside the data sets, read, and only then put in their places.

    Args:
      named: the data set.
      data_dir: folder of the data sets; it is made if it is missing.
      fetched: files and folders of the source; without any they are downloaded, to the user's
        cache, unless they are there.

    Returns:
      The files that were written.

    Raises:
      InputError: if something can't be had or is damaged.
    """
    paths = list(fetched) or download(named)
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{named.name}-", dir=data_dir) as made:
        folder = Path(made)
        try:
            named.convert(paths, folder)
            _check(named, folder, paths)
        except InputError:
            for path, one in zip(paths, () if fetched else named.downloads, strict=False):
                # No checksum would tell the next time that it is damaged.
                if isinstance(one, Download) and one.checksum is None:
                    path.unlink()
            raise
        targets = []
        for path in sorted(folder.rglob("*")):
            target = data_dir / path.relative_to(folder)
            if path.is_dir():
                target.mkdir(exist_ok=True)
            else:
                path.replace(target)
                targets.append(target)
    return targets


def _check(named: NamedSet, folder: Path, paths: Sequence[Path]) -> None:
    try:
        named.check(folder)
    except InputError as error:
        given = ", ".join(map(str, paths))
        message = str(error).replace(f"{folder}{os.sep}", "")
        raise InputError(f"{given}: gives no {named.name}: {message}") from error


def missing_file(path: Path, name: str, layout: str) -> InputError:
    """Returns the error for a file of a data set that isn't there.

    Args:
      path: the file.
      name: the data set's.
      layout: what the file is expected to be.
    """
    return InputError(
        f"{path}: no such file. {_GET.replace('NAME', name)}; it is expected there as {layout}; "
        "data_dir or JAXEMB_DATA names the folder"
    )


_GET = "`jaxemb data NAME` gets it"
_BY_HAND = "Fetch SOURCE by other means and run `jaxemb data NAME --from FILE`"


def download(named: NamedSet) -> list[Path]:
    """Fetches the files of a data set to the user's cache; those that are there and right stay.

    Raises:
      InputError: naming what to fetch by hand, if one can't be had.
    """
    by_hand = _BY_HAND.replace("NAME", named.name).replace("SOURCE", named.source)
    if not named.downloads:
        raise InputError(
            f"nobody publishes checksums of the files of {named.name}, so they are not downloaded. "
            f"{by_hand}"
        )
    folder = pooch.os_cache("jaxemb") / "downloads"
    return [_fetch(one, folder, by_hand) for one in named.downloads]


def _fetch(wanted: Download | Dump, folder: Path, by_hand: str) -> Path:
    if isinstance(wanted, Dump):
        wanted = _newest(wanted, by_hand)
    name = wanted.url.rpartition("/")[2]
    return _retrieve(wanted, folder, name, by_hand)


def _retrieve(wanted: Download, folder: Path, name: str, by_hand: str) -> Path:
    bar = _Bar(name)
    try:
        with _quiet_pooch():
            path = pooch.retrieve(
                wanted.url,
                known_hash=wanted.checksum,
                fname=name,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=bar),
            )
    except (OSError, ValueError) as error:
        by_hand = by_hand.replace(wanted.url, "it")
        raise InputError(
            f"{wanted.url}: cannot be downloaded: {_reason(error)}. {by_hand}"
        ) from error
    finally:
        bar.close()
    return Path(path)


class _Bar:
    """Shows what pooch tells of a download; of a short one, nothing."""

    total = 0  # set by pooch, to 0 where the server doesn't tell

    def __init__(self, name: str):
        self._bar = progress_bar(desc=name, unit="B", unit_scale=True, delay=2)

    def update(self, count: int) -> None:
        """Counts bytes; pooch counts whole blocks, and all of them once more at the end."""
        self._bar.total = self.total or None
        self._bar.update(min(count, self.total - self._bar.n) if self.total else count)

    def reset(self) -> None:
        """Goes on counting."""

    def close(self) -> None:
        """Ends the bar."""
        self._bar.close()


def _newest(dump: Dump, by_hand: str) -> Download:
    """Looks the newest file of a dump and its checksum up."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Download(dump.checksums, None)
        listed = _retrieve(wanted, Path(folder), "checksums.txt", by_hand).read_text()
    for line in listed.splitlines():
        sha1, _, name = line.strip().partition("  ")
        if (found := dump.name.fullmatch(name)) and re.fullmatch("[0-9a-f]{40}", sha1):
            url = f"{dump.folder.format(date=found[1])}/{name}"
            return Download(url, f"sha1:{sha1}")
    raise InputError(f"{dump.checksums}: lists no file like {dump.name.pattern}. {by_hand}")


def _reason(error: Exception) -> str:
    """Says in a few words why a download failed: those of a missing network are a screen long."""
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return "no answer"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return str(error)


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Leaves out what pooch says of each download, such as how to pin what has no checksum."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)
