import pooch
import pytest

from jaxemb.data.corpora import open_corpus
from jaxemb.data.sets import pydocs
from jaxemb.data.sets.pydocs import write_pydocs

SOURCE = '''"""Module
    text."""
class A:
    """A class with a \\d stray backslash."""
    def f(self):
        """A method."""
        if self:
            async def g():
                "Nested."
def again():
    """A method."""
def strange():
    """NUL \\0 and \\ud800."""
def code():
    """`numpy.linalg` and __init__"""
def bare():
    return "not a docstring"
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "package"
    (folder / "tests").mkdir(parents=True)
    (folder / "b.py").write_text(SOURCE)
    (folder / "a.py").write_text('"""First."""')
    (folder / "bad.py").write_text("{{ template }} not python")
    (folder / "tests" / "c.py").write_text('"""A test."""')
    (folder / "data.txt").write_text('"""No code."""')
    monkeypatch.setattr(pydocs, "_folders", lambda: [folder])
    return folder


def test_docstrings_once_each_in_order(package, tmp_path):
    path = write_pydocs(tmp_path / "cache")
    assert path.read_text().split("\n") == [
        "first",
        "module text",
        "a class with a d stray backslash",
        "a method",
        "nested",
        "nul and",
        "numpy linalg and init",
        "",
    ]


def test_written_once_for_the_installed_versions(package, tmp_path, monkeypatch):
    path = write_pydocs(tmp_path)
    (package / "a.py").write_text('"""Changed."""')
    assert write_pydocs(tmp_path) == path
    assert path.read_text().startswith("first")
    monkeypatch.setattr(pydocs.platform, "python_version", lambda: "3.99")
    assert write_pydocs(tmp_path) != path
    assert sorted(tmp_path.glob(".*")) == []


def test_corpus_by_name(package, tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    (file,) = open_corpus(["pydocs"], tmp_path).files
    assert file.parent == tmp_path / "jaxemb"


def test_the_installed_packages_are_found():
    names = {folder.name for folder in pydocs._folders()}
    assert set(pydocs._PACKAGES.values()) <= names
    assert any((folder / "argparse.py").is_file() for folder in pydocs._folders())
