"""Imports run down only: a part of jaxemb uses those named before it; no modules in a circle."""

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the ground up; each may import those before it.
LAYERS = [
    *("errors", "checks", "fields", "atomic", "memory", "progress"),
    *("losses", "optim", "data", "plots", "training", "sampling", "factorize", "projections"),
    *("evaluation", "kernels", "models", "io", "methods", "sklearn", "commands"),
]


def modules(top: str) -> dict[str, Path]:
    """The files of a package by their modules' names."""
    found = {}
    for path in (ROOT / top).rglob("*.py"):
        name = path.relative_to(ROOT).with_suffix("")
        found[".".join(name.parts).removesuffix(".__init__")] = path
    return found


LIBRARY, SCRIPTS = modules("jaxemb"), modules("experiments")


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Those of the known modules that a file imports anywhere; names of types alone don't count."""
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            asked = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            base = base.replace("jaxemb.experiments", "experiments")
            inner = [f"{base}.{alias.name}" for alias in node.names]
            asked = [one if one in known else base for one in inner]
        else:
            continue
        yield from (one for one in asked if one in known and one != name)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from walk(child)


def test_every_part_has_its_layer():
    parts = {name.split(".")[1] for name in LIBRARY if "." in name}
    assert parts <= set(LAYERS)


def test_imports_run_down():
    up = []
    for name, path in LIBRARY.items():
        if name == "jaxemb":
            continue
        layer = LAYERS.index(name.split(".")[1])
        for other in imported(name, path, LIBRARY):
            if other != "jaxemb" and LAYERS.index(other.split(".")[1]) > layer:
                up.append(f"{name} imports {other}")
    assert not up


@pytest.mark.parametrize("known", [LIBRARY, SCRIPTS], ids=["jaxemb", "experiments"])
def test_no_modules_import_one_another_in_a_circle(known):
    graph = {name: set(imported(name, path, known)) for name, path in known.items()}
    # An error names the circle.
    in_order = list(graphlib.TopologicalSorter(graph).static_order())
    assert sorted(in_order) == sorted(graph)


def test_the_library_imports_no_experiment():
    found = [
        f"{name} imports experiments"
        for name, path in LIBRARY.items()
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Import | ast.ImportFrom) and "experiments" in ast.unparse(node)
    ]
    assert not found


def test_the_library_names_no_flag():
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value[:60]!r}"
        for name, path in LIBRARY.items()
        if not name.startswith("jaxemb.commands")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        # Calls of other programs may have flags: `tensorboard --logdir`.
        and re.search(r"(^|[\s(`])--[a-z]", re.sub(r"`\w[^`]*`", "", node.value))
    ]
    assert not named


def test_imports_of_every_form_are_read(tmp_path):
    (tmp_path / "b.py").write_text(
        "import x.a\nfrom . import c\nfrom .c import y\nfrom x import a\n"
        "if TYPE_CHECKING:\n    from . import d\ndef f():\n    from x.e import g\n"
    )
    known = {f"x.{name}": tmp_path / f"{name}.py" for name in "abcde"}
    assert list(imported("x.b", known["x.b"], known)) == ["x.a", "x.c", "x.c", "x.a", "x.e"]
