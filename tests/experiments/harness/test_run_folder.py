import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from jaxemb.experiments.harness import run_folder

from jaxemb.errors import InputError
from jaxemb.training.state import History


@dataclasses.dataclass(frozen=True)
class Config:
    corpus: tuple[str, ...] = ("a", "b")
    rate: float = 0.1
    data_dir: Path = Path("data")
    out: Path = Path("out")


SHA256 = {"/somewhere/a.txt": "12ab"}


def test_a_folder_is_made_and_opened_again(tmp_path):
    out = tmp_path / "deep" / "run"
    run_folder.open_run(out, Config(), SHA256)
    held = json.loads((out / "config.json").read_text())
    assert held["config"] == {"corpus": ["a", "b"], "rate": 0.1}
    assert held["data_sha256"] == {"a.txt": "12ab"}
    assert held["devices"] >= 1
    assert held["versions"].keys() >= {"jax", "numpy", "jaxemb"}
    (out / "vectors.txt").write_text("result")
    before = (out / "config.json").read_bytes()
    # Where things lie may change.
    moved = Config(data_dir=Path("elsewhere"), out=Path("there"))
    run_folder.open_run(out, moved, {"/elsewhere/a.txt": "12ab"})
    assert (out / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("config", "sha256", "message"),
    [
        (Config(rate=0.2), SHA256, "rate is 0.1 there and 0.2 here"),
        (Config(corpus=("a",)), SHA256, r"corpus is \['a', 'b'\] there and \['a'\] here"),
        (Config(), {"a.txt": "34cd"}, "a.txt is '12ab' there and '34cd' here"),
        (Config(), {}, "a.txt is '12ab' there and None here"),
    ],
)
def test_another_configuration_is_refused(tmp_path, config, sha256, message):
    run_folder.open_run(tmp_path, Config(), SHA256)
    (tmp_path / "metrics.jsonl").touch()
    before = (tmp_path / "config.json").read_bytes()
    with pytest.raises(InputError, match=f"{tmp_path} holds a run of another .*: {message}. Give"):
        run_folder.open_run(tmp_path, config, sha256)
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_failed_start_leaves_nothing_in_the_way(tmp_path):
    run_folder.open_run(tmp_path, Config(), SHA256)
    (tmp_path / "rows.npy").touch()
    assert run_folder.open_run(tmp_path, Config(rate=0.2), SHA256)
    held = json.loads((tmp_path / "config.json").read_text())
    assert held["config"]["rate"] == 0.2


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="holds 'thesis.tex' but no config.json"):
        run_folder.open_run(tmp_path, Config(), SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_start_killed_while_writing_is_no_obstacle(tmp_path, monkeypatch):
    # What a kill leaves just before the file gets its name.
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            run_folder.open_run(tmp_path, Config(), SHA256)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    run_folder.open_run(tmp_path, Config(), SHA256)
    assert (tmp_path / "config.json").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"config": {}}', '{"config": 3, "data_sha256": {}}']
)
def test_a_damaged_configuration_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match="config.json is not a run's configuration: "):
        run_folder.open_run(tmp_path, Config(), SHA256)
    assert (tmp_path / "config.json").read_text() == text


def test_json_holds_no_nan(tmp_path):
    path = tmp_path / "summary.json"
    nested = {"deep": [{"x": math.inf}, (1.5, -math.inf)]}
    run_folder.write_json(path, {"a": math.nan, "b": np.float64("nan"), "c": 2, **nested})
    expected = {"a": None, "b": None, "c": 2, "deep": [{"x": None}, [1.5, None]]}
    assert json.loads(path.read_text()) == expected


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "summary.json"
    run_folder.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        run_folder.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_run_is_shown_and_not_opened(tmp_path, capsys):
    assert run_folder.open_run(tmp_path / "run", Config(), SHA256)
    # Begun, but not finished.
    assert run_folder.open_run(tmp_path / "run", Config(), SHA256)
    run_folder.finish(tmp_path / "run", {"error": 0.25})
    assert "config.json" in capsys.readouterr().out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary.pop("peak_memory_mb") > 1
    assert summary.pop("run_minutes") > 0
    assert summary == {"error": 0.25}
    assert not run_folder.open_run(tmp_path / "run", Config(), SHA256)
    assert '"error": 0.25' in capsys.readouterr().out


def test_a_deleted_result_is_made_again(tmp_path, capsys):
    run_folder.open_run(tmp_path, Config(), SHA256)
    for name in ("vectors.txt", "metrics.jsonl"):
        (tmp_path / name).touch()
    run_folder.finish(tmp_path, {"error": 0.25})
    (tmp_path / "metrics.jsonl").unlink()
    assert not run_folder.open_run(tmp_path, Config(), SHA256)
    (tmp_path / "vectors.txt").unlink()
    assert run_folder.open_run(tmp_path, Config(), SHA256)
    assert "finished, but no vectors.txt: made again" in capsys.readouterr().out


def test_a_signal_ends_the_program_and_nothing_else_does(capsys):
    for reason in ("done", "converged"):
        run_folder.stop_if_asked(History(stopped_because=reason))
    for checkpoints, way in ((True, "goes on from there"), (False, "starts again")):
        with pytest.raises(SystemExit) as stop:
            run_folder.stop_if_asked(
                History(steps=1200, stopped_because="SIGTERM"), checkpoints=checkpoints
            )
        assert stop.value.code == 143
        assert f"stopped at step 1,200; the same command {way}" in capsys.readouterr().out
