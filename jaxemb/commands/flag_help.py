"""What `--help` and `--help-all` show of a configuration's flags.

`--help` fits on a screen: of each dataclass that a configuration is made of it shows the first
fields, as many as there is room for, with the first sentence about each. So fields that most people
need come first. `--help-all` shows everything.
"""

import dataclasses
import inspect
import re
import textwrap
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import tyro

from jaxemb.fields import field_docs

WIDTH, HEIGHT = 100, 24
INDENT = 22  # of what is told about a flag
_SENTENCE = re.compile(r"(?<=[.?!])(?<!e\.g\.) ")
# What tyro marks annotations with has no public name.
_POSITIONAL = get_args(tyro.conf.Positional[int])[1]
_SUPPRESSED = get_args(tyro.conf.Suppress[int])[1]


class Flag(NamedTuple):
    """A field as the command line has it."""

    owner: type  # the dataclass
    field: str
    name: str  # "--dim INT"; "WORD" of one that goes by its place
    positional: bool
    doc: str
    default: Any
    depth: int  # dataclasses around its own


def flags(config_type: type, default: Any = None, depth: int = 0) -> Iterator[Flag]:
    """Lists the flags of a dataclass and, in their place, those of its dataclass fields.

    Args:
      config_type: the dataclass.
      default: an instance, whose values are the defaults; None takes those of the fields.
      depth: dataclasses around this one.
    """
    hints: dict[str, Any] = get_type_hints(config_type, include_extras=True)
    docs = field_docs(config_type)
    for field in dataclasses.fields(config_type):
        hint, marks = hints[field.name], ()  # type: Any, tuple[Any, ...]
        if hasattr(hint, "__metadata__"):
            hint, marks = hint.__origin__, hint.__metadata__
        value = _default(field) if default is None else getattr(default, field.name)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from flags(hint, None if value is dataclasses.MISSING else value, depth + 1)
        elif _SUPPRESSED not in marks:
            metavar = next((mark.metavar for mark in marks if getattr(mark, "metavar", None)), None)
            word = metavar or _metavar(hint)
            # A field that Python's words leave no other name is called from_.
            name = "--" + field.name.rstrip("_").replace("_", "-")
            if _POSITIONAL in marks:
                name = metavar or field.name.upper()
            elif hint is bool:
                name = f"--[no-]{name[2:]}"
            else:
                name = f"{name} {word}"
            place, doc = _POSITIONAL in marks, docs.get(field.name, "")
            yield Flag(config_type, field.name, name, place, doc, value, depth)


def text(config_type: type, prog: str, *, every: bool) -> str:
    """Returns the help.

    Args:
      config_type: the dataclass of the command.
      prog: how the command is called.
      every: whether to show all flags and all that is told about them.
    """
    found = list(flags(config_type))
    lines = _text(config_type, prog, found, every=every)
    most = len(found)
    while not every and len(lines) > HEIGHT - 2 and most > 1:
        most -= 1
        met: Counter[type] = Counter()
        chosen = []
        for flag in found:
            met[flag.owner] += 1
            # What lies deeper is for those who tune: options of an option.
            if flag.positional or (met[flag.owner] <= most and flag.depth < 2):
                chosen.append(flag)
        lines = _text(config_type, prog, chosen, every=False)
    if not every:
        lines += ["", f"--help-all tells more, of all {len(found)} flags."]
    return "\n".join(lines)


def _text(config_type: type, prog: str, chosen: Sequence[Flag], *, every: bool) -> list[str]:
    places = "".join(f"{flag.name} " for flag in chosen if flag.positional)
    told = (inspect.getdoc(config_type) or "").split("\n\n")
    lines = [f"usage: {prog} {places}[--FLAG VALUE ...]", ""]
    for paragraph in told if every else told[:1]:
        lines += [*textwrap.wrap(" ".join(paragraph.split()), WIDTH), ""]
    for flag in chosen:
        doc = flag.doc if every else _SENTENCE.split(flag.doc)[0]
        lines += _lines(flag.name, f"{doc} {_told(flag)}".strip())
    return lines


def subcommands(config_type: type) -> set[str]:
    """Returns the names of commands: of dataclasses with own flags that a field is a choice of."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
        for hint in get_type_hints(config_type).values()
        if get_origin(hint) in (Union, types.UnionType)
        for kind in get_args(hint)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }


def switches(config_type: type) -> set[str]:
    """Returns the flags that take no value, but for those of subcommands."""
    return {
        f"--{no}{flag.name.removeprefix('--[no-]')}"
        for flag in flags(config_type)
        for no in ("", "no-")
        if flag.name.startswith("--[no-]")
    }


def _lines(name: str, doc: str) -> list[str]:
    if len(name) + 4 > INDENT:
        told = textwrap.wrap(doc, WIDTH - INDENT)
        # A long list of choices.
        names = textwrap.wrap(name.replace(",", ", "), WIDTH - 6, subsequent_indent="    ")
        names = names if len(names) > 1 else [name]
        return [*("  " + line for line in names), *(" " * INDENT + line for line in told)]
    wrapped = textwrap.wrap(doc, WIDTH - INDENT) or [""]
    first = f"  {name}".ljust(INDENT) + wrapped[0]
    return [first.rstrip(), *(" " * INDENT + line for line in wrapped[1:])]


def _told(flag: Flag) -> str:
    value = flag.default
    if value is dataclasses.MISSING:
        return "" if flag.positional else "(required)"
    if value is None:
        return ""  # the text says what that does
    if isinstance(value, tuple):
        return f"(default: {' '.join(map(str, value))})" if value else ""
    return f"(default: {value})"


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _metavar(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "{" + ",".join(map(str, get_args(hint))) + "}"
    if get_origin(hint) in (Union, types.UnionType):
        words = [_metavar(kind) for kind in get_args(hint)]
        return "|".join(sorted(words, key="None".__eq__))
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        if kinds[-1] is Ellipsis:
            return f"[{_metavar(kinds[0])} ...]"
        return " ".join(map(_metavar, kinds))
    simple = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH", type(None): "None"}
    return simple.get(hint, getattr(hint, "__name__", str(hint)).upper())
