"""What is told about the fields of a dataclass: the text below each of them."""

import ast
import dataclasses
import functools
import inspect
import textwrap
from typing import TypeVar

Kind = TypeVar("Kind", bound=type)


def documented(kind: Kind) -> Kind:
    """Adds the text below each field of a dataclass to its docstring, so that `help` shows it."""
    lines = [
        textwrap.fill(f"{name}: {doc}", 96, initial_indent="  ", subsequent_indent="    ")
        for name, doc in field_docs(kind).items()
    ]
    kind.__doc__ = "\n".join([inspect.cleandoc(kind.__doc__ or ""), "", "Attributes:", *lines])
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
