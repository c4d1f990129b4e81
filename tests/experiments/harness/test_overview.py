import json
import re

import pytest
from jaxemb.experiments.harness import overview

from jaxemb.errors import InputError

SCRIPTS = sorted(
    path
    for path in overview.EXPERIMENTS.glob("*.py")
    if not path.name.startswith("_") and path.name != "query.py"
)
ROW = re.compile(r"\| (\w+) \| `(python -m experiments\..+?)` \| (.+?) \| ([\d.]+) \|")


def rows():
    return [
        found.groups() for found in ROW.finditer((overview.EXPERIMENTS / "README.md").read_text())
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_opens_with_its_command_minutes_and_figure(path):
    script = overview.read_script(path)
    assert script.command.startswith(f"python -m experiments.{path.stem}")
    told = [figure for _, command, figure, _ in rows() if command == script.command]
    assert told in ([], [script.expected])


def write_run(folder, **changes):
    folder.mkdir()
    facts = {"command": "python -m experiments.distances", "commit": "c" * 40, "device": "cpu"}
    (folder / "config.json").write_text(json.dumps(facts | changes))
    figures = {"kruskal_stress": 0.25, "knn_accuracy": 0.5, "run_minutes": 0.26}
    (folder / "summary.json").write_text(json.dumps(figures))
    return folder


@pytest.fixture
def copies(tmp_path, monkeypatch):
    folder = tmp_path / "experiments"
    folder.mkdir()
    for name in ("README.md", "distances.py", "tsne.py"):
        (folder / name).write_text((overview.EXPERIMENTS / name).read_text())
    monkeypatch.setattr(overview, "EXPERIMENTS", folder)
    return folder


def test_the_table_and_the_header_are_made_of_a_run(tmp_path, copies):
    run = write_run(tmp_path / "run")
    overview.run(overview.Config((run,), "A machine"))
    readme = (copies / "README.md").read_text()
    figure = "stress-1 0.250, 10-NN accuracy 0.500"
    row = f"| distances | `python -m experiments.distances` | {figure} | 0.3 |"
    assert f"{overview.BEGIN}A machine; commit ccccccc.\n\n" in readme
    assert row in readme
    assert readme.count(overview.BEGIN) == readme.count(overview.END) == 1
    script = overview.read_script(copies / "distances.py")
    assert script.told == "A machine, 0.3 minutes: stress-1 0.250, 10-NN accuracy 0.500."
    # Once more: it replaces what it wrote.
    overview.run(overview.Config((run,), "A machine"))
    assert (copies / "README.md").read_text() == readme


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"commit": "d" * 40}, "the runs are of different commits or devices"),
        ({"device": "gpu"}, "the runs are of different commits or devices"),
    ],
)
def test_runs_that_differ_are_not_mixed(tmp_path, copies, changes, message):
    runs = write_run(tmp_path / "a"), write_run(tmp_path / "b", **changes)
    before = (copies / "README.md").read_text()
    with pytest.raises(InputError, match=message):
        overview.run(overview.Config(runs, "A machine"))
    assert (copies / "README.md").read_text() == before


def test_runs_of_changed_files_or_unfinished_ones_are_refused(tmp_path, copies):
    with pytest.raises(InputError, match="files differed from the commit, found c.*[+]$"):
        overview.read_runs((write_run(tmp_path / "a", commit="c+"),))
    run = write_run(tmp_path / "b")
    (run / "summary.json").unlink()
    with pytest.raises(InputError, match="is not the folder of a finished run"):
        overview.read_runs((run,))
