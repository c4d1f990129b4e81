"""text8: the first 100 million characters of English Wikipedia, cleaned, without documents."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import list_files
from jaxemb.data.files import file_sha256
from jaxemb.data.prepare import Download, NamedSet, prepare
from jaxemb.data.text_files import Source
from jaxemb.data.tokenize import TOKENS
from jaxemb.errors import InputError

URL = "http://mattmahoney.net/dc/text8.zip"
SHA256 = "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"
_FORMS = ("text8", "text8.gz", "text8.zip")


def find(data_dir: Path) -> Source:
    """Finds text8, text8.gz or text8.zip; downloads the last if none is there.

    Args:
      data_dir: folder of the data sets.

    Returns:
      The file.

    Raises:
      InputError: if text8.zip is damaged or can't be downloaded.
    """
    there = [data_dir / form for form in _FORMS if (data_dir / form).is_file()]
    path = (there or prepare(SOURCE, data_dir))[0]
    if path.name == "text8.zip" and (found := file_sha256(path)) != SHA256:
        raise InputError(
            f"{path}: its sha256 is {found}, not {SHA256}: it is truncated or another file. "
            f"Remove it, so that it is downloaded again, or get {URL}"
        )
    return Source((path,), TOKENS)


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Copies text8, text8.gz or text8.zip.

    Args:
      paths: what was fetched.
      folder: where it goes.

    Raises:
      InputError: if it isn't among them.
    """
    for _, path in list_files(paths):
        if path.name in _FORMS:
            shutil.copyfile(path, folder / path.name)
            return
    given = ", ".join(map(str, paths))
    raise InputError(f"{given}: is not and has not text8.zip, text8.gz or, unpacked, text8")


SOURCE = NamedSet(
    name="text8",
    what="17 million words of English Wikipedia of 2006, without documents",
    license="not stated; Wikipedia's was the GFDL",
    source=URL,
    megabytes=31,
    files=("|".join(_FORMS),),
    convert=convert,
    check=find,
    downloads=(Download(URL, f"sha256:{SHA256}"),),
)
