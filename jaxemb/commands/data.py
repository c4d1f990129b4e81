"""Gets data sets from their public sources, or from files that were fetched by other means."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import tyro

from jaxemb.data.files import default_data_dir
from jaxemb.data.prepare import NamedSet, find, prepare
from jaxemb.data.sets import CORPORA, IMAGES, SOURCES
from jaxemb.errors import InputError


@dataclasses.dataclass(frozen=True)
class Config:
    """Prepares named data sets, or lists them all: size, license, source, and which are there.

    What is downloaded is checked against the checksums that its authors or well-known libraries
    publish; it stays in the user's cache (`jaxemb cache`), so it is fetched once. Where there is no
    network, --from takes what was fetched by other means: an archive, some files or a folder.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME")] = ()
    """Data sets, or all; without a name they are listed."""
    from_: Annotated[tuple[Path, ...], tyro.conf.arg(name="from")] = ()
    """Archives, files or folders to make the data set of, instead of downloading them."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    overwrite: bool = False
    """Make a data set that is there anew."""


def run(config: Config) -> None:
    """Lists or prepares."""
    for name in config.names:
        if name in {**IMAGES, **CORPORA} and name not in SOURCES:
            raise InputError(f"{name} needs no file: it is there already")
    unknown = [name for name in config.names if name not in (*SOURCES, "all")]
    if unknown:
        raise InputError(f"{unknown[0]!r} is no data set; known are {', '.join(SOURCES)}, or all")
    names = list(SOURCES) if "all" in config.names else list(dict.fromkeys(config.names))
    if config.from_ and len(names) != 1:
        raise InputError("--from is for one data set: which one?")
    if not names:
        _list(config.data_dir)
    lacking = {}
    for name in names:
        source = SOURCES[name]
        if len(names) > 1 and not source.downloads and not find(source, config.data_dir):
            print(f"{name}: is to be fetched by hand: {source.source}; jaxemb data {name} --from")
            continue
        try:
            _prepare(source, config)
        except (InputError, OSError) as error:
            if len(names) == 1:
                raise
            print(f"{name}: {error}", file=sys.stderr)
            lacking[name] = error
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(names)} data sets could not be had, see above: "
            f"{', '.join(lacking)}"
        )


def _list(data_dir: Path) -> None:
    print(f"data sets in {data_dir}\n")
    for source in SOURCES.values():
        there = "there" if find(source, data_dir) else "not there"
        size = f"{source.megabytes} MB to fetch" if source.downloads else "to be fetched by hand"
        print(f"{source.name}: {there}; {size}; {source.license}")
        print(f"    {source.what}")
        print(f"    {source.source}")
    print("\n`jaxemb data NAME` gets one, `jaxemb data all` those that are not there")


def _prepare(source: NamedSet, config: Config) -> None:
    files = find(source, config.data_dir)
    if files and not config.overwrite:
        print(f"{source.name} is there already: {_told(files)}; --overwrite makes it anew")
        return
    size = f", {source.megabytes} MB" if source.downloads and not config.from_ else ""
    print(f"{source.name}: {source.what}{size}; license: {source.license}", flush=True)
    files = prepare(source, config.data_dir, config.from_)
    print(f"wrote {_told(files)}")


def _told(files: list[Path]) -> str:
    size = sum(path.stat().st_size for path in files) / 1e6
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0]}{more}, {size:,.1f} MB"
