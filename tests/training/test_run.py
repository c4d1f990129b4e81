import json

import pytest

from jaxemb.errors import InputError
from jaxemb.training.run import Run, cut_log


def test_metrics_after_a_step_are_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"step": step, "loss": 0.5}) + "\n" for step in (5, 10, 15)]
    path.write_text("".join(lines) + '{"step": 20, "lo')
    cut_log(path, 15)
    assert path.read_text() == "".join(lines)
    cut_log(path, 12)
    assert path.read_text() == "".join(lines[:2])
    cut_log(path, 0)
    assert path.read_text() == ""


def test_no_metrics_yet(tmp_path):
    cut_log(tmp_path / "metrics.jsonl", 3)
    assert not list(tmp_path.iterdir())


def test_a_damaged_line_of_metrics_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 5}\n{"stop": 6}\n')
    with pytest.raises(InputError, match=r"metrics.jsonl: line 2: .*'\{\"stop\": 6\}'"):
        cut_log(path, 15)


def test_paths_may_be_strings_and_all_else_is_checked(tmp_path):
    run = Run(f"{tmp_path}/run", log=f"{tmp_path}/log")
    assert (run.checkpoints, run.log) == (tmp_path / "run", tmp_path / "log")
    for fields, message in (
        ({"checkpoints": 3}, "checkpoints must be a path or None, found int"),
        ({"seconds": "5"}, "seconds must be a number, found '5'"),
        ({"seconds": -1.0}, "seconds must be at least 0, found -1.0"),
        ({"progress": "yes"}, "progress must be bool or None, found 'yes'"),
    ):
        with pytest.raises(InputError, match=message):
            Run(**fields)
