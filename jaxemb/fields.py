"""What is told about the fields of a dataclass: the text below each of them."""

import ast
import dataclasses
import functools
import inspect
import textwrap
from typing import TypeVar

Kind = TypeVar("Kind", bound=type)


class _Docstring:
    """A class's docstring with its fields, made when it is asked for: sources are read slowly."""

    def __init__(self, kind: type):
        """Keeps what the class says of itself."""
        self._kind, self._own = kind, inspect.cleandoc(kind.__doc__ or "")

    def __get__(self, instance: object, owner: type) -> str:
        """Returns the whole."""
        lines = [
            textwrap.fill(f"{name}: {doc}", 96, initial_indent="  ", subsequent_indent="    ")
            for name, doc in field_docs(self._kind).items()
        ]
        return "\n".join([self._own, "", "Attributes:", *lines])


def documented(kind: Kind) -> Kind:
    """Adds the text below each field of a dataclass to its docstring, so that `help` shows it."""
    kind.__doc__ = _Docstring(kind)  # type: ignore[assignment]
    return kind


@functools.cache
def field_docs(config_type: type) -> dict[str, str]:
    """Returns the text below each field of a dataclass, also inherited ones, on one line."""
    docs: dict[str, str] = {}
    for base in reversed(config_type.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        except OSError:  # made without source
            continue
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                docs[field.target.id] = " ".join(str(below.value.value).split())
    return docs
