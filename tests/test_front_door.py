"""What `import jaxemb` gives."""

import subprocess
import sys
from pathlib import Path

import pytest

import jaxemb

METHODS = sorted(
    path.stem
    for path in (Path(jaxemb.__file__).parent / "methods").iterdir()
    if not path.stem.startswith(("_", "."))
)
# Half a second and more each.
SLOW = ("matplotlib", "sklearn", "scipy.stats", "faiss", "orbax", "tyro", "torch")


def loaded_after(code: str) -> set[str]:
    code += "\nimport sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_it_names_every_method():
    assert set(METHODS) <= set(jaxemb.__all__)
    missing = [name for name in METHODS if f"`{name}`" not in (jaxemb.__doc__ or "")]
    assert not missing


def test_every_name_is_there():
    assert sorted(jaxemb.__all__) == jaxemb.__all__
    for name in jaxemb.__all__:
        assert getattr(jaxemb, name)
        assert name in dir(jaxemb)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="'jaxemb' has no attribute 'wordvec'"):
        jaxemb.wordvec  # noqa: B018


def test_importing_it_loads_nothing():
    before = loaded_after("import importlib, typing")
    assert {name for name in loaded_after("import jaxemb") - before if "." not in name} == {
        "jaxemb"
    }


def test_importing_methods_loads_nothing_slow():
    slow = ("__version__", "plots", "sklearn")
    parts = ", ".join(name for name in jaxemb.__all__ if name not in slow)
    found = loaded_after(f"from jaxemb import {parts}")
    assert not found & set(SLOW)
