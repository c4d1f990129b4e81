"""What an installation puts on the user's path."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_list_of_packages_is_complete():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = [
        ".".join(path.parent.relative_to(ROOT).parts)
        for top in ("jaxemb", "experiments")
        for path in (ROOT / top).rglob("__init__.py")
    ]
    assert sorted(named) == sorted(
        f"jaxemb.{name}" if name.startswith("experiments") else name for name in folders
    )


def test_a_wheel_has_one_package_and_one_program(tmp_path):
    source = tmp_path / "source"
    for name in ("jaxemb", "experiments"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name for name in names if name.endswith("entry_points.txt"))
        assert "jaxemb = jaxemb.commands.main:main" in archive.read(info).decode()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jaxemb"}
    assert {"jaxemb/py.typed", "jaxemb/experiments/word2vec.py"} <= set(names)
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "jaxemb").rglob("*.py")}
    assert sources <= set(names)
