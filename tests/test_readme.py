"""What READMEs and docstrings show runs as it stands there."""

import ast
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


def example(docstring: str) -> str | None:
    """The block below the line `Example:`, until the next line without indent."""
    block = re.search(r"^Example:\n(.*?)(?=^\S|\Z)", docstring, re.MULTILINE | re.DOTALL)
    return textwrap.dedent(block[1]) if block else None


def examples() -> dict[str, str]:
    found = {}
    for path in sorted((ROOT / "jaxemb").rglob("*.py")):
        code = example(ast.get_docstring(ast.parse(path.read_bytes()), clean=False) or "")
        if code is not None:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = code
    return found


EXAMPLES = examples()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


def test_who_has_an_example():
    methods = (ROOT / "jaxemb" / "methods").iterdir()
    expected = {f"jaxemb.methods.{path.stem}" for path in methods if path.stem[0] not in "_."}
    expected |= {"jaxemb", "jaxemb.io", "jaxemb.data.text", "jaxemb.losses.combined"}
    expected |= {"jaxemb.evaluation.gallery"}
    assert not expected - EXAMPLES.keys()


# What some examples show beside that they run: the names that they define -> whether it is so.
SHOWN = {
    "jaxemb.methods.classifier": lambda names: (names["classes"] == names["labels"]).mean() > 0.9,
    "jaxemb.methods.glove": lambda names: np.diff(names["fitted"].history.loss[[0, -1]])[0] < 0,
    "jaxemb.methods.one_hot": lambda names: names["motel"] @ names["hotel"] == 0,
    "jaxemb.methods.subwords": lambda names: "catsat" in names["fitted"].vectors,
    "jaxemb.methods.matching.losses": lambda names: names["both"].chance is not None,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    exec(compile(EXAMPLES[name], f"{name}'s example", "exec"), names)
    assert SHOWN.get(name, lambda names: True)(names)


def test_no_example_is_looked_for_in_vain():
    assert SHOWN.keys() <= EXAMPLES.keys()


def test_snippets_of_the_readme(tmp_path, monkeypatch):
    """Each may use what those before it have defined."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for number, code in enumerate(SNIPPETS, 1):
        exec(compile(code, f"README.md, snippet {number}", "exec"), names)
    assert len(SNIPPETS) == 3
    assert (tmp_path / "colors.vec").exists()
    assert names["placed"].shape == (20, 2)
    assert np.isfinite(names["placed"]).all()
    # Digits that training never saw, among three.
    found = names["gallery"].nearest(names["vectors"], k=2)
    digits = names["labels"][~names["known"]]
    right = [int(near[0].nearest) == digit for near, digit in zip(found, digits, strict=True)]
    assert np.mean(right) > 0.6


def test_what_an_example_is():
    assert (
        example("A.\n\nExample:\n    x = 1\n\n    y = 2\n\nMore.\n    z = 3")
        == "x = 1\n\ny = 2\n\n"
    )
    assert example("A.\n\n    x = 1\n") is None
