"""The program `jaxemb`: runs experiments and commands by name, and lists them.

Nothing slow is imported before it is known what to run.
"""

import ast
import difflib
import importlib
import importlib.util
import io
import sys
from collections.abc import Sequence
from pathlib import Path

EXPERIMENTS, COMMANDS = "jaxemb.experiments", "jaxemb.commands"


CALLED = "jaxemb "


def main(argv: Sequence[str] | None = None, *, called: str = CALLED) -> int:
    """Runs what the first word names with the flags behind it; without a word, lists all.

    Args:
      argv: the words after the program's name; None takes those of this process.
      called: what stands before an experiment's name when it is called.

    Returns:
      Exit status, as of `command_line.main`; 2 for an unknown name.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        # Names of files and words may have letters that the terminal lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not words or words[0] in ("-h", "--help", "--help-all"):
        print(listing(called))
        return 0
    if words[0] == "--version":
        import jaxemb

        print(jaxemb.__version__)
        return 0
    name = words[0].replace("-", "_")
    commands, experiments = scripts(COMMANDS), scripts(EXPERIMENTS)
    for package, names in ((COMMANDS, commands), (EXPERIMENTS, experiments)):
        if name in names:
            try:
                from jaxemb.commands import command_line

                module = importlib.import_module(f"{package}.{name}")
            except KeyboardInterrupt:  # while modules load, nothing is begun
                print("stopped")
                return 130
            prog = (CALLED if package == COMMANDS else called) + name
            status = command_line.main(module.Config, module.run, words[1:], prog=prog)
            if argv is None and status in command_line.STOPPED:
                command_line.leave(status)
            return status
    close = difflib.get_close_matches(name, sorted({*commands, *experiments}), n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "the program alone lists all"
    print(f"error: {words[0]!r} is no command; {hint}", file=sys.stderr)
    return 2


def listing(called: str) -> str:
    """Returns all experiments by family and all commands, a line each."""
    experiments = scripts(EXPERIMENTS)
    families: dict[str, Sequence[str]] = importlib.import_module(EXPERIMENTS).FAMILIES
    parts = {family: {name: experiments[name] for name in families[family]} for family in families}
    parts["commands" if called == CALLED else f"commands: {CALLED}NAME"] = scripts(COMMANDS)
    width = max(len(name) for part in parts.values() for name in part)
    lines = [f"usage: {called}NAME [--FLAG VALUE ...]", "", f"{called}NAME --help tells more."]
    for family, part in parts.items():
        lines += ["", family, *(f"  {name:{width}}  {told}" for name, told in part.items())]
    return "\n".join(lines)


def scripts(package: str) -> dict[str, str]:
    """Returns the first line of the docstring of each module that can be run, by its name."""
    found = {}
    for path in sorted(_folder(package).glob("*.py")):
        tree = ast.parse(path.read_bytes())
        names = {getattr(one, "name", "") for one in tree.body}
        for one in tree.body:
            if isinstance(one, ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in one.names}
        if {"Config", "run"} <= names:
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))
