import dataclasses
import json
import shutil

import numpy as np
import pytest
from jaxemb.experiments import tsne
from jaxemb.experiments.harness import command
from PIL import Image
from pyarrow import parquet

from jaxemb.errors import InputError

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    """A short run with everything on: a film, points placed afterwards, many checkpoints."""
    config = at(tsne.SMOKE, tmp_path_factory.mktemp("runs") / "finished")
    tsne.run(config)
    return config


def at(config, out):
    return dataclasses.replace(config, common=command.Common(out=out, checkpoint_seconds=0))


def summary(config):
    return json.loads((config.common.out / "summary.json").read_text())


def logged(config):
    """Returns the steps that the lines of metrics.jsonl tell of."""
    lines = (config.common.out / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_map_leaves_its_files(finished):
    assert {path.name for path in finished.common.out.iterdir()} == {
        "checkpoints",
        "config.json",
        "embedding.npy",
        "film.gif",
        "held_out.npy",
        "images.png",
        "map.html",
        "map.parquet",
        "map.png",
        "metrics.jsonl",
        "rows.npy",
        "summary.json",
        "trace.png",
    }
    assert np.load(finished.common.out / "embedding.npy").shape == (300, 2)
    told = parquet.read_table(finished.common.out / "map.parquet")["placed"].to_numpy()
    held_out = np.load(finished.common.out / "held_out.npy")
    np.testing.assert_array_equal(np.flatnonzero(told == "afterwards"), held_out)
    found = summary(finished)
    assert found["points"] == 300
    assert found["iterations"] == 100
    assert found["stopped_because"] == "done"
    # Of all points in one place, the KL is about 3 nats.
    assert 0 < found["kl"] < 1.5
    assert found["knn_accuracy"] > 0.7
    assert found["held_out"] == 60
    held_out = np.load(finished.common.out / "held_out.npy")
    assert len(np.unique(held_out)) == 60
    assert 0 <= held_out.min() < held_out.max() < 300
    # Chance is a tenth.
    assert found["held_out_knn_accuracy"] > 0.6
    assert found["trustworthiness"] > 0.9
    assert logged(finished) == list(range(10, 101, 10))
    with Image.open(finished.common.out / "film.gif") as film:
        # A map every ten steps; the last one stays.
        assert film.n_frames >= 10


def test_a_run_cut_in_the_middle_ends_with_the_same_bits(finished, tmp_path):
    cut = at(finished, tmp_path / "cut")
    shutil.copytree(finished.common.out, cut.common.out)
    for path in cut.common.out.iterdir():
        if path.name not in ("config.json", "checkpoints", "metrics.jsonl"):
            path.unlink()
    for step in (100, 90):
        shutil.rmtree(cut.common.out / "checkpoints" / f"{step:08d}")
    tsne.run(cut)
    one, two = (np.load(config.common.out / "embedding.npy") for config in (finished, cut))
    np.testing.assert_array_equal(one, two)
    kl = [summary(config)["kl"] for config in (finished, cut)]
    assert kl[0] == kl[1]
    assert logged(cut) == list(range(10, 101, 10))


def test_a_film_changes_nothing(finished, tmp_path):
    still = at(dataclasses.replace(finished, film=""), tmp_path / "still")
    tsne.run(still)
    one, two = (np.load(config.common.out / "embedding.npy") for config in (finished, still))
    np.testing.assert_array_equal(one, two)
    assert logged(still) == [50, 100]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dim", "4"], "--dim must be at least 1 and at most 3, found 4"),
        (["--perplexity", "100", "--n", "300"], "perplexity must be from 1 to less than a third"),
        (["--learning-rate", "nan"], "--learning-rate must be"),
        (["--learning-rate", "1e9", "--max-step-norm", "inf", "--n", "300"], "exploded"),
        (["--held-out", "298", "--n", "300"], "--held-out 298 leaves fewer than 4 of 300 points"),
        (["--n", "3"], "3 points are too few"),
        (["--exaggeration", "0"], "--exaggeration must be at least 1"),
    ],
)
def test_mistakes_are_one_line(flags, message, tmp_path, capsys):
    asked = [*flags, "--iterations", "60", "--out", str(tmp_path / "run")]
    assert command.main(tsne.Config, tsne.run, asked) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert message in told[0]
    assert not (tmp_path / "run" / "summary.json").exists()


def test_identical_points_are_refused_and_jitter_parts_them(tmp_path, capsys):
    np.save(tmp_path / "same.npy", np.ones((60, 5), np.float32))
    asked = ["--data", str(tmp_path / "same.npy"), "--perplexity", "5", "--iterations", "50"]
    asked += ["--out", str(tmp_path / "run")]
    assert command.main(tsne.Config, tsne.run, asked) == 2
    assert "all 60 points coincide" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "run")
    assert command.main(tsne.Config, tsne.run, [*asked, "--jitter", "0.01"]) == 0
    assert np.isfinite(np.load(tmp_path / "run" / "embedding.npy")).all()


def test_a_film_that_cannot_be_made_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="ffmpeg, which makes mp4, is not installed"):
        tsne.run(at(tsne.Config(film="mp4"), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_distances_are_asked_about_and_taken_as_such(tmp_path, capsys):
    points = np.random.default_rng(0).normal(size=(40, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.save(tmp_path / "distances.npy", distances)
    words = ["--data", str(tmp_path / "distances.npy"), "--out", str(tmp_path / "run")]
    words += ["--iterations", "50", "--early-iterations", "20", "--perplexity", "5"]

    def run(*more):
        status = command.main(tsne.Config, tsne.run, [*words, *more])
        return status, capsys.readouterr().err

    status, err = run()
    assert (status, err.count("\n")) == (2, 1)
    assert "--metric precomputed takes it as such, --coordinates as points like others" in err
    status, err = run("--metric", "precomputed", "--standardize")
    assert (status, err.count("\n")) == (2, 1)
    assert "--standardize must be off" in err
    assert run("--metric", "precomputed")[0] == 0
    assert np.load(tmp_path / "run" / "embedding.npy").shape == (40, 2)
