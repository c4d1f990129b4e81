from jaxemb.progress import progress_bar


def test_off_a_terminal_progress_is_plain_lines(capsys):
    for _ in progress_bar(range(3), desc="reading", unit="file"):
        pass
    written = capsys.readouterr().err
    assert "\r" not in written
    assert "\x1b" not in written
    lines = written.splitlines()
    assert lines[-1].startswith("reading: 100%")
    assert "3/3" in lines[-1]
