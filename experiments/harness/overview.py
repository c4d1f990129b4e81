"""Writes the table of experiments/README.md, and the figures at the heads of the scripts.

    python -m experiments.harness.overview RUN [RUN ...]

Each RUN is the folder of a finished run. All must be of one commit, without changed files, and of
one machine: figures of different code or machines don't belong into one table.
"""

import ast
import dataclasses
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

from jaxemb.atomic import replacing
from jaxemb.errors import InputError

from . import command
from .tables import markdown

LINE = 100  # characters of a line of a docstring
EXPERIMENTS = Path(__file__).parents[1]
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


@dataclasses.dataclass(frozen=True)
class Config:
    """Writes the table of experiments/README.md from finished runs."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folders of runs, one or more of each experiment."""
    machine: str
    """What they ran on, for the heading of the table."""


_TOLD = re.compile(r"(?P<machine>.+), (?P<minutes>[\d.]+) minutes: (?P<figure>.+)\.$")


class Row(NamedTuple):
    """One run in the table."""

    script: str
    command: str
    figure: str
    minutes: float


class Script(NamedTuple):
    """What a script's source says of it.

    Attributes:
      what: the first line of its docstring.
      command: the line below.
      told: the paragraph of machine, minutes and figure, as it stands in the source.
      expected: the figure in it.
      figure: FIGURE, what makes it of summary.json; "" where the script has none.
    """

    what: str
    command: str
    told: str
    expected: str
    figure: str


def read_script(path: Path) -> Script:
    """Reads a script's header without running it.

    Raises:
      InputError: naming what the header lacks.
    """
    tree = ast.parse(path.read_text())
    what, *others = (ast.get_docstring(tree) or "").split("\n\n")
    commands = [part.strip() for part in others if part.startswith("    python -m experiments.")]
    told = [(part, match) for part in others if (match := _TOLD.match(" ".join(part.split())))]
    for name, found in (("command", len(commands)), ("paragraph of minutes", len(told))):
        if found != 1:
            raise InputError(f"{path}: expected one {name} at its head, found {found}")
    figures = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FIGURE"
    ]
    paragraph, match = told[0]
    return Script(what, commands[0], paragraph.rstrip(), match["figure"], "".join(figures))


def read_runs(folders: tuple[Path, ...]) -> tuple[list[Row], str]:
    """Reads finished runs.

    Returns:
      A row for each, and their commit.

    Raises:
      InputError: if one isn't finished, or they differ in commit or device.
    """
    rows: list[Row] = []
    kinds: dict[tuple[str, str], Path] = {}
    for folder in folders:
        try:
            config = json.loads((folder / "config.json").read_text())
            summary = json.loads((folder / "summary.json").read_text())
            asked, kind = config["command"], (config["commit"], config["device"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{folder} is not the folder of a finished run: {error}") from error
        kinds.setdefault(kind, folder)
        name = asked.split()[2].rpartition(".")[2]
        script = read_script(EXPERIMENTS / f"{name}.py")
        if not script.figure:
            raise InputError(f"{folder}: experiments/{name}.py has no FIGURE to tell of it")
        rows.append(Row(name, asked, script.figure.format(**summary), summary["run_minutes"]))
    if len(kinds) > 1:
        told = "; ".join(
            f"{folder}: {commit}, {device}" for (commit, device), folder in kinds.items()
        )
        raise InputError(f"the runs are of different commits or devices: {told}")
    (commit, _), folder = next(iter(kinds.items()))
    if commit is None or commit.endswith("+"):
        raise InputError(f"{folder}: files differed from the commit, found {commit}")
    return rows, commit


def run(config: Config) -> None:
    """Writes the table and the headers."""
    rows, commit = read_runs(config.runs)
    readme = EXPERIMENTS / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = [[row.script, f"`{row.command}`", row.figure, f"{row.minutes:.1f}"] for row in rows]
    heading = ["experiment", "command", "figures", "minutes"]
    told = f"{config.machine}; commit {commit[:7]}.\n\n"
    with replacing(readme) as part:
        lines = "\n".join(markdown(heading, table))
        part.write_text(f"{before}{BEGIN}{told}{lines}\n{END}{after}")
    for row in rows:
        path = EXPERIMENTS / f"{row.script}.py"
        script = read_script(path)
        if row.command == script.command:
            line = textwrap.fill(
                f"{config.machine}, {row.minutes:.1f} minutes: {row.figure}.", LINE
            )
            with replacing(path) as part:
                part.write_text(path.read_text().replace(script.told, line, 1))
    print(f"{len(rows)} rows of commit {commit[:7]}")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
