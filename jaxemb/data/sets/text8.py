"""text8: the first 100 million characters of English Wikipedia, cleaned, without documents."""

from pathlib import Path

import pooch

from jaxemb.data.files import file_sha256
from jaxemb.data.text_files import Source
from jaxemb.data.tokenize import TOKENS
from jaxemb.errors import InputError

URL = "http://mattmahoney.net/dc/text8.zip"
SHA256 = "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"


def find(data_dir: Path) -> Source:
    """Finds text8, text8.gz or text8.zip; downloads the last if none is there.

    Args:
      data_dir: folder of the data sets.

    Returns:
      The file.

    Raises:
      InputError: if text8.zip is damaged or can't be downloaded.
    """
    return Source((_find(data_dir),), TOKENS)


def _find(data_dir: Path) -> Path:
    for form in ("text8", "text8.gz"):
        if (data_dir / form).is_file():
            return data_dir / form
    path = data_dir / "text8.zip"
    if not path.is_file():
        try:
            pooch.retrieve(
                URL,
                known_hash=f"sha256:{SHA256}",
                fname=path.name,
                path=data_dir,
                progressbar=True,
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"text8 is not in {data_dir} and could not be downloaded: {error}. Get {URL} and "
                "put it there as text8.zip, text8.gz or, unpacked, text8; data_dir or JAXEMB_DATA "
                "names the folder"
            ) from error
    if (found := file_sha256(path)) != SHA256:
        raise InputError(
            f"{path}: its sha256 is {found}, not {SHA256}: it is truncated or another file. "
            f"Remove it, so that it is downloaded again, or get {URL}"
        )
    return path
