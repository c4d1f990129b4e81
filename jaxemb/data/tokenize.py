"""Splits text into words."""

import dataclasses
import functools
import hashlib
import importlib
import inspect
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import regex

from jaxemb.errors import InputError

Split = Callable[[str], list[str]]
"""Text to its words; no word is empty or contains white space."""
SplitLines = Callable[[str], str]
"""Lines without other white space to as many lines: the words of each, a space between two."""


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """How text becomes words.

    Attributes:
      split: text to its words.
      split_lines: tokens between white space to the words of each; None if `split` doesn't look
        at each such token on its own.
      name: how it is asked for.
      identity: what tells it from all others; None if nothing does.
    """

    split: Split
    split_lines: SplitLines | None
    name: str
    identity: str | None


def words(text: str, *, keep_case: bool = False) -> list[str]:
    """Returns the words of text by Unicode's word boundaries (UAX #29), in Unicode's form NFC.

    What has a letter or a digit is a word, and so is an emoji: don't, 3.14, u.s, naïve. Unlike
    there, letters of scripts without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) stay together,
    as the marks between Tibetan syllables do: text is often spaced out beforehand, and where it
    isn't, single letters of Thai say little. The typographic apostrophe becomes the plain one, and
    characters that only direct how text is shown, soft hyphens, for instance, are dropped.

    Args:
      text: any text.
      keep_case: leave capital letters as they are.

    Returns:
      The words, in order.
    """
    found = _words_and_line_ends(text, keep_case)
    return [one for one in found if one != "\n"] if "\n" in text else found


def words_of_lines(text: str, *, keep_case: bool = False) -> str:
    """Returns the words of each line as `words` finds them, in a fraction of the time.

    Args:
      text: lines, each with its end.
      keep_case: leave capital letters as they are.

    Returns:
      As many lines: the words of each, a space between two.
    """
    # A line end is as good as the end of the text: no rule looks beyond it.
    text = unicodedata.normalize("NFC", text if keep_case else text.lower())
    if text.isascii():
        return _as_lines(_ASCII_WORD.findall(text))
    word, special = _quick_words()
    quick, slow, numbers = [], [], []
    number = before = 0
    for match in special.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        number += text.count("\n", before, start)
        quick.append(text[before:start])
        slow.append(text[start : match.end()])
        numbers.append(number)
        before = match.end()
    found = _as_lines(word.findall("".join([*quick, text[before:]])))
    if not numbers:
        return found
    lines = found.split("\n")
    others = _as_lines(_words_and_line_ends("\n".join([*slow, ""]), keep_case=True)).split("\n")
    for number, line in zip(numbers, others[:-1], strict=True):
        lines[number] = line
    return "\n".join(lines)


def _as_lines(found: list[str]) -> str:
    """Joins words and line ends."""
    text = " ".join(found).replace("\u2019", "'")
    return text.replace(" \n", "\n").replace("\n ", "\n")


def _words_and_line_ends(text: str, keep_case: bool) -> list[str]:
    if not keep_case:
        text = text.lower()
    if text.isascii():
        return _ASCII_WORD.findall(text)
    word, dropped = _unicode_words()
    found = word.findall(dropped.sub("", unicodedata.normalize("NFC", text)))
    return [one.replace("\u2019", "'") for one in found] if "\u2019" in text else found


def whitespace(text: str, *, keep_case: bool = False) -> list[str]:
    """Returns what stands between white space, in Unicode's form NFC.

    Args:
      text: any text.
      keep_case: leave capital letters as they are.

    Returns:
      The words, in order.
    """
    return unicodedata.normalize("NFC", text if keep_case else text.lower()).split()


def characters(text: str, *, keep_case: bool = False) -> list[str]:
    """Returns characters as readers see them (UAX #29), in Unicode's form NFC; no white space.

    Args:
      text: any text.
      keep_case: leave capital letters as they are.

    Returns:
      The characters, in order.
    """
    tokens = whitespace(text, keep_case=keep_case)
    return [one for token in tokens for one in (token if token.isascii() else _SEEN(token))]


TOKENIZERS: dict[str, Callable[..., list[str]]] = {
    "words": words,
    "whitespace": whitespace,
    "characters": characters,
}


def _split_lines(split: Split, text: str) -> str:
    return "".join(" ".join(split(token)) + "\n" for token in text.split("\n")[:-1])


def as_tokenizer(tokenizer: Any, *, keep_case: bool = False) -> Tokenizer:
    """Returns the tokenizer that is meant.

    Args:
      tokenizer: a name of `TOKENIZERS`, "module:function", or a function: text to its words.
      keep_case: for the named ones, leave capital letters as they are.

    Returns:
      It. The identity of a function is its name and the text of its module; one that can't be
      imported, a lambda or a notebook's, has none.

    Raises:
      InputError: if there is no such tokenizer.
    """
    if isinstance(tokenizer, str) and tokenizer in TOKENIZERS:
        identity = f"{tokenizer} {regex.__version__} {keep_case}"
        split = functools.partial(TOKENIZERS[tokenizer], keep_case=keep_case)
        split_lines: SplitLines = functools.partial(_split_lines, split)
        if tokenizer == "words":
            split_lines = functools.partial(words_of_lines, keep_case=keep_case)
        return Tokenizer(split, split_lines, tokenizer, identity)
    if isinstance(tokenizer, str):
        name, function = tokenizer, _load(tokenizer)
    elif callable(tokenizer):
        function = tokenizer
        name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    else:
        raise InputError(
            f"tokenizer must be {', '.join(TOKENIZERS)}, 'module:function' or a function, found "
            f"{type(tokenizer).__name__}"
        )
    split = functools.partial(_split_by, function, name)
    return Tokenizer(split, None, name, _identity(name, function))


TOKENS = as_tokenizer("whitespace", keep_case=True)
"""For text that is words already."""


def _load(name: str) -> Callable[[str], Any]:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise InputError(
            f"tokenizer must be {', '.join(TOKENIZERS)} or module:function, found {name!r}"
        )
    # What python -m does and an installed command doesn't.
    here = [] if "" in sys.path else [""]
    sys.path[:0] = here
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"tokenizer {name!r} can't be loaded: {error}. A module lies in the current folder or "
            "is installed"
        ) from error
    finally:
        del sys.path[: len(here)]
    if not callable(found):
        raise InputError(f"tokenizer {name!r} is no function but {type(found).__name__}")
    return found


def _identity(name: str, function: Callable[[str], Any]) -> str | None:
    """Returns a function's name with the text of its module, None if that doesn't tell it."""
    module, _, attribute = name.partition(":")
    try:
        found: Any = sys.modules[module]
        for part in attribute.split("."):
            found = getattr(found, part)
        # A bound method is made anew whenever it is asked for.
        if module == "__main__" or found != function:
            return None
        source = inspect.getsource(sys.modules[module])
    except (KeyError, AttributeError, OSError, TypeError):
        return None
    return f"{name} {hashlib.sha256(source.encode()).hexdigest()}"


def _split_by(function: Callable[[str], Any], name: str, text: str) -> list[str]:
    """Calls a function of the user's and checks what it returns."""
    try:
        found = function(text)
    except Exception as error:
        raise InputError(
            f"tokenizer {name} failed with {type(error).__name__}: {error}; on {text[:60]!r}"
        ) from error
    if isinstance(found, str) or not hasattr(found, "__iter__"):
        raise InputError(
            f"tokenizer {name} must return a list of words, found {type(found).__name__}; on "
            f"{text[:60]!r}"
        )
    parts = list(found)
    for part in parts:
        if not isinstance(part, str) or len(part.split()) > 1:
            raise InputError(
                f"tokenizer {name} must return words, strings without white space, found {part!r}; "
                f"on {text[:60]!r}"
            )
    return [word for part in parts for word in part.split()]


# Words of scripts without spaces, and those longer than nearly all words are: Chinese or Japanese
# ones of five characters and more, Thai ones of thirteen, vowels above and below included.
UNSPACED_SCRIPT = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{LB=SA}\p{Tibetan}]")
CLAUSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]{5}|[\p{LB=SA}\p{Tibetan}]{13}")

# Words and line ends. The same rules within ASCII, fifty times as fast. Numbered as in UAX #29.
_ASCII_WORD = re.compile(
    r"_*+[A-Za-z0-9][A-Za-z0-9_]*+"  # WB5, 8-10, 13a, 13b
    r"(?:(?:(?<=[A-Za-z])[:.'](?=[A-Za-z])|(?<=[0-9])[,;.'](?=[0-9]))"  # WB6, 7, 11, 12
    r"[A-Za-z0-9_]++)*+|\n"
)
_SEEN = regex.compile(r"\X").findall


@functools.cache
def _unicode_words() -> tuple[Any, Any]:
    """Returns the pattern of a word or line end, and that of characters to drop first."""
    # Whatever stands for letters: marks go with what they follow (WB4), joiners too.
    marks = r"[\p{WB=Extend}\p{WB=ZWJ}\u0f0b\u0f0c]"
    unspaced = rf"[[\p{{WB=Katakana}}\p{{Han}}\p{{Hiragana}}\p{{LB=SA}}]--{marks}]{marks}*+"
    hebrew = rf"\p{{WB=Hebrew_Letter}}{marks}*"
    letter = rf"[[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]--[\p{{Han}}\p{{LB=SA}}]]{marks}*+"
    digit = rf"\p{{WB=Numeric}}{marks}*+"
    joint = rf"\p{{WB=ExtendNumLet}}{marks}*+"
    both = r"\p{WB=MidNumLet}\p{WB=Single_Quote}"
    between_letters = rf"[\p{{WB=MidLetter}}{both}]{marks}*+(?={letter})"
    between_digits = rf"[\p{{WB=MidNum}}{both}]{marks}*+(?={digit})"
    quotes = rf'"(?<={hebrew}"){marks}*+(?={hebrew})'  # WB7b, 7c
    run = (
        rf"(?:(?:{letter}(?:{between_letters}|{quotes})?|{digit}(?:{between_digits})?)++"
        rf"|(?:{unspaced})++)"
    )
    quote = rf"'(?<={hebrew}'){marks}*+"  # WB7a
    word = rf"(?:{joint})*+{run}(?:(?:{joint})++{run})*(?:(?:{joint})++|{quote})?"
    flag = rf"\p{{RI}}{marks}*+"
    picture = r"(?:[\p{Emoji_Presentation}--[\p{RI}\p{WB=Extend}]]|\p{ExtPict}(?=\ufe0f))"
    emoji = rf"{picture}{marks}*+(?:(?<=\u200d)\p{{ExtPict}}{marks}*+)*+"  # WB3c
    pattern = regex.compile(rf"{word}|{emoji}|{flag}{flag}|\n", regex.VERSION1)
    return pattern, regex.compile(r"\p{WB=Format}+")


@functools.cache
def _quick_words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns a pattern as that of ASCII for letters and marks, and one of lines it isn't for.

    Of such a line the second matches all from the first character that makes it one.
    """
    unspaced = r"\p{WB=Katakana}\p{Han}\p{Hiragana}\p{LB=SA}\p{Tibetan}"
    others = rf"[{unspaced}\p{{Emoji}}\p{{ExtPict}}]"
    letter = "A-Za-z" + _ranges(rf"[\p{{WB=ALetter}}--{others}]")
    mark = _ranges(r"[\p{WB=Extend}\p{WB=ZWJ}]")
    both = _ranges(r"\p{WB=MidNumLet}")
    between_letters = _ranges(r"[\p{WB=MidLetter}\p{WB=MidNumLet}]")
    punctuation = _ranges(rf"[[\p{{WB=Other}}&&[\p{{P}}\p{{S}}]]--{others}]")
    run = (
        rf"[{letter}][{letter}{mark}]*+(?:[:.'{between_letters}][{mark}]*+(?=[{letter}]))?"
        rf"|[0-9][0-9{mark}]*+(?:[,;.'{both}][{mark}]*+(?=[0-9]))?"
    )
    joints = rf"_[_{mark}]*+"
    word = rf"(?:{joints})?+(?:{run})(?:{run}|{joints})*+|\n"
    special = rf"[^\x00-\x7f{letter}{mark}{between_letters}{punctuation}].*"
    return re.compile(word), re.compile(special)


def _ranges(pattern: str) -> str:
    """Returns the characters of a class, from U+0080 to U+FFFF, as ranges."""
    every = "".join(map(chr, range(0x80, 0x10000)))
    runs = regex.findall(f"{pattern}+", every, regex.VERSION1)
    return "".join(f"{run[0]}-{run[-1]}" for run in runs)
