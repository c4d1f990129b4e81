"""The built-in corpus: docstrings of the Python and scientific packages installed here."""

import ast
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pooch

from jaxemb.data.text_files import Source
from jaxemb.data.tokenize import TOKENS, words
from jaxemb.progress import progress_bar

# Distribution: the package that it installs.
_PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "jax": "jax",
    "flax": "flax",
    "optax": "optax",
    "chex": "chex",
    "orbax-checkpoint": "orbax",
    "matplotlib": "matplotlib",
    "scikit-learn": "sklearn",
}
# In code these join words, which each have a meaning: numpy.linalg, __init__.
_JOINTS = re.compile(r"[.:,;]|__+|\b_|_\b")
_SKIPPED = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"}


def find(data_dir: Path) -> Source:
    """Finds the docstrings, collected in the user's cache; `data_dir` is not used."""
    return Source((write_pydocs(pooch.os_cache("jaxemb")),), TOKENS)


def write_pydocs(cache_dir: Path) -> Path:
    """Collects the docstrings of modules, classes and functions once for the installed versions.

    Args:
      cache_dir: folder that keeps the file; it is made if it is missing.

    Returns:
      A text file, the words of a docstring a line, each once, without tests.
    """
    versions = [f"python {platform.python_version()}"]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    key = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]
    path = cache_dir / f"pydoc_words_{key}.txt"
    if path.is_file():
        return path
    files = [file for folder in _folders() for file in _python_files(folder)]
    bar = progress_bar(files, desc="reading docstrings", unit="file")
    documents = dict.fromkeys(doc for file in bar for doc in _docstrings(file))
    lines = (" ".join(words(_JOINTS.sub(" ", doc))) for doc in documents)
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pydocs-", dir=cache_dir) as folder:
        unfinished = Path(folder, path.name)
        unfinished.write_bytes("".join(f"{line}\n" for line in lines).encode())
        unfinished.replace(path)
    return path


def _folders() -> list[Path]:
    folders = [Path(sysconfig.get_path("stdlib"))]
    for package in _PACKAGES.values():
        spec = importlib.util.find_spec(package)  # does not import it
        if spec is not None and spec.submodule_search_locations is not None:
            folders += map(Path, spec.submodule_search_locations)
    return folders


def _python_files(folder: Path) -> Iterator[Path]:
    for parent, children, names in os.walk(folder):
        children[:] = sorted(set(children) - _SKIPPED)
        yield from (Path(parent, name) for name in sorted(names) if name.endswith(".py"))


def _docstrings(file: Path) -> list[str]:
    source = file.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stray backslashes in other people's strings
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return []  # templates and code for other Python versions
    found = []
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # Strings may hold what text files must not: NUL and halves of surrogate pairs.
            doc = (ast.get_docstring(node, clean=False) or "").replace("\0", " ")
            found.append(" ".join(doc.encode(errors="replace").decode().split()))
    return [doc for doc in found if doc]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yields a node and all statements below it; ast.walk visits every name and takes longer."""
    yield node
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, field, []):
            yield from _statements(child)
