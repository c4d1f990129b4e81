"""Emoji in two drawing styles, Noto and Emojitwo, with names and keywords."""

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxemb.data.archives import Member, read_members
from jaxemb.data.images import expect, read_arrays
from jaxemb.data.prepare import NamedSet
from jaxemb.errors import InputError

FILE = "emoji.npz"
STYLES = ("noto", "emojitwo")
_SIDE = 32
_LAYOUT = (
    "noto and emojitwo [N, 32, 32, 3] uint8, has_noto and has_emojitwo [N] bool, and name, "
    "keywords (with bars between) and codepoints (in hexadecimal, with hyphens between), [N] text"
)
_SOURCES = re.compile(
    r"(?:^|/)emoji_u(?P<noto>[0-9a-f]+(?:_[0-9a-f]+)*)\.png$"
    r"|(?:^|/)(?P<emojitwo>[0-9a-f]{2,}(?:-[0-9a-f]+)*)\.png$"
    r"|(?:^|/)(?P<words>emoji-en-US\.json)$"
)
# It asks for a colorful form of the letter before it, and file names have it or not.
_VARIANT = "fe0f"


class Emoji(NamedTuple):
    """Emoji, their pictures and their words.

    Attributes:
      codepoints: N, in hexadecimal with hyphens between: "1f468-200d-1f9b0".
      names: N, as "grinning face".
      keywords: N tuples, each word once; what is in a name need not be among them.
      images: {style: [N, 32, 32, 3] uint8}, white where there is no picture.
      there: {style: [N] bool} whether there is one.
      files: that they were read from.
    """

    codepoints: list[str]
    names: list[str]
    keywords: list[tuple[str, ...]]
    images: dict[str, np.ndarray]
    there: dict[str, np.ndarray]
    files: tuple[Path, ...]

    def flags(self) -> np.ndarray:
        """Returns [N] bool: which are flags of countries, of letters or tags that stand for one."""
        return np.array(
            [
                any(0x1F1E6 <= code <= 0x1F1FF or 0xE0020 <= code <= 0xE007F for code in codes)
                for codes in ([int(part, 16) for part in one.split("-")] for one in self.codepoints)
            ]
        )


def read(data_dir: Path) -> Emoji:
    """Reads the emoji.

    Args:
      data_dir: folder of the data sets.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    have = tuple(f"has_{style}" for style in STYLES)
    texts = ("name", "keywords", "codepoints")
    arrays = read_arrays(path, (*STYLES, *have, *texts), _LAYOUT, data_set="emoji")
    images, there, (names, keywords, codepoints) = arrays[:2], arrays[2:4], arrays[4:]
    size = len(names)
    for one in images:
        expect(path, _LAYOUT, one.dtype == np.uint8 and one.shape == (size, _SIDE, _SIDE, 3))
    expect(path, _LAYOUT, all(one.dtype == bool and one.shape == (size,) for one in there))
    for one in (names, keywords, codepoints):
        expect(path, _LAYOUT, one.dtype.kind == "U" and one.shape == (size,))
    hexadecimal = re.compile("[0-9a-f]+(-[0-9a-f]+)*")
    expect(path, _LAYOUT, all(hexadecimal.fullmatch(code) for code in codepoints.tolist()))
    return Emoji(
        codepoints.tolist(),
        [name.replace("_", " ").strip() for name in names.tolist()],
        [tuple(dict.fromkeys(filter(None, words.split("|")))) for words in keywords.tolist()],
        dict(zip(STYLES, images, strict=True)),
        dict(zip(STYLES, there, strict=True)),
        (path,),
    )


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the archive that `read` reads, from pictures of both styles and a list of words.

    Args:
      paths: what was fetched: folders or archives with pictures as their authors name them,
        emoji_u1f600.png and 1f600.png, and emoji-en-US.json of emojilib.
      folder: where the archive goes.

    Raises:
      InputError: if a picture is damaged, or one of the three is missing.
    """
    pictures: dict[str, dict[str, np.ndarray]] = {style: {} for style in STYLES}
    listed: dict[str, list[str]] = {}
    for member in read_members(paths, _SOURCES, most=1 << 24):
        if member.found["words"]:
            listed = _words(member)
            continue
        for style in STYLES:
            # Of several sizes the first will do.
            if (found := member.found[style]) and _code(found) not in pictures[style]:
                pictures[style][_code(found)] = _picture(member)
    given = ", ".join(map(str, paths))
    if not listed:
        raise InputError(f"{given}: emoji-en-US.json of emojilib is missing")
    by_code = {
        _code("-".join(f"{ord(letter):x}" for letter in one)): words
        for one, words in listed.items()
    }
    for style in STYLES:
        if not by_code.keys() & pictures[style].keys():
            raise InputError(f"{given}: has no picture of the style {style}")
    codes = [code for code in by_code if any(code in pictures[style] for style in STYLES)]
    white = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    arrays: dict[str, Any] = {}
    for style in STYLES:
        arrays[style] = np.stack([pictures[style].get(code, white) for code in codes])
        arrays[f"has_{style}"] = np.array([code in pictures[style] for code in codes])
    np.savez_compressed(
        folder / FILE,
        **arrays,
        name=np.array([by_code[code][0] for code in codes]),
        keywords=np.array(["|".join(by_code[code][1:]) for code in codes]),
        codepoints=np.array(codes),
    )


def _code(name: str) -> str:
    parts = name.replace("_", "-").split("-")
    return "-".join(part.lstrip("0") for part in parts if part != _VARIANT)


def _words(member: Member) -> dict[str, list[str]]:
    """Reads {emoji: [name, keyword, ...]}."""
    try:
        listed = json.loads(member.data)
    except ValueError as error:
        raise InputError(f"{member.name}: is no JSON: {error}") from error
    good = isinstance(listed, dict) and all(
        emoji and isinstance(words, list) and words and all(isinstance(one, str) for one in words)
        for emoji, words in listed.items()
    )
    if not good:
        raise InputError(f"{member.name}: expected a list of name and keywords for each emoji")
    return listed


def _picture(member: Member) -> np.ndarray:
    """Reads a picture in color, on white, of 32 x 32 pixels."""
    try:
        with Image.open(io.BytesIO(member.data)) as opened:
            seen = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{member.name}: is no picture: {error}") from error
    image = Image.new("RGB", seen.size, "white")
    image.paste(seen, mask=seen.getchannel("A"))
    return np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


SOURCE = NamedSet(
    name="emoji",
    what="1,906 emoji in two drawing styles, with names and keywords",
    license="Apache-2.0 (Noto), CC BY 4.0 (Emojitwo), MIT (emojilib)",
    source="png/32 of https://github.com/googlefonts/noto-emoji, png of "
    "https://github.com/EmojiTwo/emojitwo and dist/emoji-en-US.json of "
    "https://github.com/muan/emojilib",
    megabytes=0,
    files=(FILE,),
    convert=convert,
    check=read,
)
