import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import pytest
import tyro

from jaxemb.commands import command_line, flag_help
from jaxemb.fields import field_docs


@dataclasses.dataclass(frozen=True)
class Options:
    """How it is made."""

    dim: int = 100
    """Width of the vectors. Wide ones take longer than narrow ones,
    the wider the longer they take."""
    rate: float | None = None
    """None takes 0.1."""
    kind: Literal["a", "b"] = "a"
    """Which one."""


@dataclasses.dataclass(frozen=True)
class Config:
    """Makes it, in a sentence that is so long that it does not fit into one line of a screen of
    usual width.

    And more about it.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """What is read."""
    options: Options = Options(dim=50)
    sizes: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N")] = (1, 2)
    """Some sizes."""
    hidden: Annotated[int, tyro.conf.Suppress] = 3
    fast: bool = True
    """Whether to hurry."""


def shown(capsys, flag, config=Config):
    with pytest.raises(SystemExit) as stop:
        command_line.main(config, lambda config: None, [flag], prog="it")
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_the_first_sentence(capsys, flag):
    assert shown(capsys, flag) == (
        "usage: it FILE [--FLAG VALUE ...]\n\n"
        "Makes it, in a sentence that is so long that it does not fit into one line of a screen of "
        "usual\nwidth.\n\n"
        "  FILE                What is read.\n"
        "  --dim INT           Width of the vectors. (default: 50)\n"
        "  --rate FLOAT|None   None takes 0.1.\n"
        "  --kind {a,b}        Which one. (default: a)\n"
        "  --sizes N           Some sizes. (default: 1 2)\n"
        "  --[no-]fast         Whether to hurry. (default: True)\n"
        "\n"
        "--help-all tells more, of all 6 flags.\n"
    )


def test_help_shows_the_first_flags_of_each_part_that_fit(capsys):
    parts = [
        dataclasses.make_dataclass(
            f"Part{n}",
            [(f"p{n}_{i}", int, dataclasses.field(default=0)) for i in range(n)],
            frozen=True,
        )
        for n in (4, 12, 10)
    ]
    fields = [(f"part{n}", part, part()) for n, part in enumerate(parts)]
    config = dataclasses.make_dataclass("Many", fields, frozen=True)
    config.__doc__ = "Has many."
    out = shown(capsys, "--help", config)
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  --")]
    assert names == [f"--p{n}-{i}" for n in (4, 12, 10) for i in range(min(n, 7))]
    assert len(out.splitlines()) == 4 + len(names) + 2 <= 24
    assert "all 26 flags" in out


def test_help_all_shows_all(capsys):
    out = shown(capsys, "--help-all")
    assert out.splitlines()[5:] == [
        "And more about it.",
        "",
        "  FILE                What is read.",
        "  --dim INT           Width of the vectors. Wide ones take longer than narrow ones, "
        "the wider the",
        "                      longer they take. (default: 50)",
        "  --rate FLOAT|None   None takes 0.1.",
        "  --kind {a,b}        Which one. (default: a)",
        "  --sizes N           Some sizes. (default: 1 2)",
        "  --[no-]fast         Whether to hurry. (default: True)",
    ]


def test_docs_of_fields_are_inherited():
    @dataclasses.dataclass(frozen=True)
    class Wider(Options):
        kind: Literal["a", "b"] = "b"
        """Another."""

    docs = field_docs(Wider)
    assert docs["dim"].startswith("Width of the vectors.")
    assert docs["kind"] == "Another."


def test_options_of_options_are_for_those_who_ask_for_all():
    inner = dataclasses.make_dataclass("Inner", [("deep", int, 1)], frozen=True)
    fields = [("inner", inner, inner()), *((f"shown{i}", int, 1) for i in range(30))]
    middle = dataclasses.make_dataclass("Middle", fields)
    outer = dataclasses.make_dataclass("Outer", [("middle", middle, None)])
    assert "--shown0" in flag_help.text(outer, "it", every=False)
    assert "--deep" not in flag_help.text(outer, "it", every=False)
    assert "--deep" in flag_help.text(outer, "it", every=True)
