"""`jaxemb NAME` runs experiments and commands, from any folder."""

import importlib
import subprocess
import sys

import pytest

import jaxemb
from jaxemb import experiments
from jaxemb.commands import flag_help, main

SCRIPTS = main.scripts(main.EXPERIMENTS)
COMMANDS = main.scripts(main.COMMANDS)
ALL = [(main.EXPERIMENTS, name) for name in SCRIPTS] + [(main.COMMANDS, name) for name in COMMANDS]


def run(*words, cwd=None):
    code = "import sys; from jaxemb.commands.main import main; sys.exit(main(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        capture_output=True,
        cwd=cwd,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_every_experiment_is_of_one_family():
    listed = [name for family in experiments.FAMILIES.values() for name in family]
    assert sorted(listed) == sorted(SCRIPTS.keys() - COMMANDS.keys())


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_the_list(words, capsys):
    assert main.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and line[0] != " "][2:] == [
        *experiments.FAMILIES,
        "commands",
    ]
    for name in SCRIPTS.keys() | COMMANDS.keys():
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1


def test_the_list_of_experiments():
    ran = subprocess.run(
        [sys.executable, "-m", "experiments"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("usage: python -m experiments.NAME ")
    assert "\ncommands: jaxemb NAME\n" in ran.stdout


def test_the_list_loads_nothing_slow():
    code = "import sys; from jaxemb.commands.main import main; main([]); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"jax", "numpy", "tyro"} & set(ran.stdout.splitlines()[-1].split())


def test_the_version(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"{jaxemb.__version__}\n"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("word2vek", "error: 'word2vek' is no command; did you mean word2vec"),
        ("--seed", "error: '--seed' is no command; "),
        ("xyzzy", "error: 'xyzzy' is no command; the program alone lists all\n"),
    ],
)
def test_an_unknown_name(word, message, capsys):
    assert main.main([word]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_it_runs_in_a_folder_with_experiments_of_its_own(tmp_path):
    (tmp_path / "experiments").mkdir()
    for name in ("__init__", "one_hot", "__main__"):
        (tmp_path / "experiments" / f"{name}.py").write_text("raise RuntimeError('not meant')")
    status, out, err = run("one-hot", "--help", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert out.startswith("usage: jaxemb one_hot [")
    assert run("one_hot", "--seed", "x", cwd=tmp_path)[0] == 2


@pytest.mark.parametrize(("package", "name"), ALL, ids=lambda word: word.rpartition(".")[2])
def test_help_fits_on_a_screen_and_help_all_lists_every_flag(package, name):
    config = importlib.import_module(f"{package}.{name}").Config
    if flag_help.subcommands(config):
        return
    flags = list(flag_help.flags(config))
    undocumented = [flag.field for flag in flags if not flag.doc]
    assert not undocumented
    lines = flag_help.text(config, f"jaxemb {name}", every=True).splitlines()
    for flag in flags:
        assert any(line.split()[:1] == flag.name.split()[:1] for line in lines)
    short = flag_help.text(config, f"jaxemb {name}", every=False).splitlines()
    assert len(short) <= 24
    too_long = [line for line in [*lines, *short] if len(line) > 100]
    assert not too_long


def test_every_script_has_a_line_in_the_list():
    for line in [*SCRIPTS.values(), *COMMANDS.values()]:
        assert line.endswith((".", "?", "!", "..."))
