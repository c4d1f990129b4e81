import io
import logging
import sys
import time

import pytest

from jaxemb.progress import phase, progress_bar


def test_off_a_terminal_progress_is_plain_lines(capsys):
    for _ in progress_bar(range(3), desc="reading", unit="file"):
        pass
    written = capsys.readouterr().err
    assert "\r" not in written
    assert "\x1b" not in written
    lines = written.splitlines()
    assert lines[-1].startswith("reading: 100%")
    assert "3/3" in lines[-1]


class Terminal(io.StringIO):
    """Standard error, were it a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown():
    """Lets the library tell its infos, as commands do."""
    logger = logging.getLogger("jaxemb")
    level = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(level)


def wait_for(condition, seconds=60.0):
    """Waits for what another thread is to do, however busy the machine is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_on_a_terminal_a_phase_is_a_line_whose_clock_goes_on_and_that_goes_when_it_is_done(
    monkeypatch, shown
):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with phase("searching for neighbors"):
        assert terminal.getvalue().endswith("searching for neighbors, 00:00")
        wait_for(lambda: "searching for neighbors, 00:01" in terminal.getvalue())
    assert terminal.getvalue().endswith(" \r")
    assert "\n" not in terminal.getvalue()


def test_on_a_terminal_the_clock_of_a_bar_goes_on_while_nothing_moves_it(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar(total=3, bar_format="{n} of {total}, {elapsed}"):
        wait_for(lambda: "0 of 3, 00:01" in terminal.getvalue())


def test_off_a_terminal_a_phase_of_a_moment_has_no_line(capsys, shown):
    with phase("searching for neighbors"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_phase_is_not_shown_to_who_does_not_ask_for_infos(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with phase("searching for neighbors"):
        pass
    assert terminal.getvalue() == ""


def test_an_error_passes_through_a_phase(monkeypatch, shown):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(ValueError, match="lost"), phase("searching for neighbors"):
        raise ValueError("lost")
    assert terminal.getvalue().endswith(" \r")
