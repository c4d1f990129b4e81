"""Fonts for text in any script: Matplotlib's own, and those on the system for what that lacks."""

import functools
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")
_USUAL = "DejaVu Sans"
# What Matplotlib gives a text for which no family was asked.
_DEFAULT = FontProperties().get_family()
_REPLACEMENT = "?"
# Files that were named, which come before those found.
_named: list[str] = []


def add_font(path: Path) -> None:
    """Lets pictures take what the usual font lacks from this one, before any other.

    Args:
      path: a scalable font: .ttf, .otf or .ttc.

    Raises:
      InputError: if the file is missing or no such font.
    """
    if not path.is_file():
        raise InputError(f"font: {path}: no such file")
    if not _letters(str(path)):
        raise InputError(f"font: {path} is no font that can be scaled; .ttf, .otf and .ttc are")
    if str(path) not in _named:
        _named.insert(0, str(path))


def families_for(text: str) -> tuple[list[str], frozenset[str]]:
    """Finds fonts that have a text's letters.

    Args:
      text: any.

    Returns:
      Names of fonts, for Matplotlib to try one after the other, the usual one first; and the
      letters that no font here has.
    """
    usual = _letters(findfont(FontProperties(family=_USUAL)))
    wanted = {letter for letter in set(text) - usual if _is_drawn(letter)}
    by_script: dict[str, set[str]] = {}
    for letter in wanted:
        by_script.setdefault(_script(letter), set()).add(letter)
    chosen: list[str] = []
    for _, letters in sorted(by_script.items()):
        # What was chosen for one script often has another.
        if not letters - _of_all(chosen):
            continue
        best = _best(letters)
        if best is not None and best not in chosen:
            chosen.append(best)
    names = []
    for file in chosen:
        if not any(font.fname == file for font in fontManager.ttflist):
            fontManager.addfont(file)
        names.append(FT2Font(file).family_name)
    return [_USUAL, *names], frozenset(wanted - _of_all(chosen))


def fit_fonts(figure: Figure, place: str) -> None:
    """Gives each text of a figure fonts that have its letters.

    Letters that no font here has become question marks, and a line is logged.

    Args:
      figure: about to be drawn.
      place: what the figure becomes, for that line.
    """
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    families, missing = families_for("".join(text.get_text() for text in texts))
    if len(families) == 1 and not missing:
        return
    replaced = str.maketrans(dict.fromkeys(missing, _REPLACEMENT))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            # Their text is written anew whenever the figure is drawn.
            ticks = [tick.get_text() for tick in axis.get_ticklabels()]
            if missing.intersection("".join(ticks)):
                axis.set_ticks(axis.get_ticklocs(), [tick.translate(replaced) for tick in ticks])
    usual = _letters(findfont(FontProperties(family=_USUAL)))
    for text in figure.findobj(Text):
        if not isinstance(text, Text) or text.get_fontfamily() != _DEFAULT:
            continue
        if set(text.get_text()) - usual:
            text.set_text(text.get_text().translate(replaced))
            # Few fonts have letters in bold, and Matplotlib would complain.
            text.set(fontfamily=families, fontweight="normal")
    if missing:
        log_missing(place, missing, "they are drawn as question marks")


def log_missing(place: str, letters: Iterable[str], consequence: str) -> None:
    """Logs a line on letters that no font has.

    Args:
      place: the picture.
      letters: those missing.
      consequence: what becomes of them.
    """
    scripts = sorted({_script(letter) for letter in letters})
    listed = ", ".join(scripts[:6]) + (", …" if len(scripts) > 6 else "")
    _logger.warning(
        f"{place}: no font here has the letters of {listed}; {consequence}. Install a font that "
        "has them, such as one of Noto Sans, or name its file as `font`"
    )


def _is_drawn(letter: str) -> bool:
    """Tells whether a letter needs a glyph: spaces, controls and joiners don't."""
    if unicodedata.category(letter) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"):
        return False
    return not unicodedata.name(letter, "").startswith("VARIATION SELECTOR")


def _script(letter: str) -> str:
    """Returns what Unicode calls a letter's script, about: the first word of the letter's name."""
    if not unicodedata.category(letter).startswith(("L", "M", "N")):
        return "symbols"
    name = unicodedata.name(letter, "symbols").split()[0]
    return "CJK" if name == "CJK" else name.title()


@functools.cache
def _letters(path: str) -> frozenset[str]:
    """Returns the letters that a font's file has; none if it cannot be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # a font of bitmaps, or none
        return frozenset()


def _of_all(paths: list[str]) -> frozenset[str]:
    return frozenset().union(*map(_letters, paths))


def _best(letters: set[str]) -> str | None:
    """Returns the first font that has them all, or that which has most; None if none has any."""
    best, most = None, 0
    for path in _candidates():
        count = len(letters & _letters(path))
        if count > most:
            best, most = path, count
        if most == len(letters):
            break
    return best


def _candidates() -> Iterator[str]:
    """Yields those named, then those on the system, upright ones without serifs first."""
    yield from _named

    def rank(path: str) -> tuple[bool, bool, str]:
        name = Path(path).name.lower()
        return "sans" not in name, not ("regular" in name or "[" in name), name

    # Fonts "of last resort" have a box for each letter.
    found = (path for path in findSystemFonts() if "lastresort" not in path.lower())
    yield from sorted(found, key=rank)
