import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import parametric_tsne
from jaxemb.experiments.harness import command

pytestmark = pytest.mark.usefixtures("private_cache")


def test_all_terms_together_place_points_never_seen(tmp_path):
    common = command.Common(out=tmp_path / "run")
    config = dataclasses.replace(parametric_tsne.SMOKE, common=common)
    parametric_tsne.run(config)
    assert {path.name for path in config.common.out.iterdir()} == {
        "checkpoints",
        "config.json",
        "embedding.npy",
        "held_out.npy",
        "held_out.png",
        "images.png",
        "map.html",
        "map.parquet",
        "map.png",
        "metrics.jsonl",
        "rows.npy",
        "summary.json",
    }
    assert np.load(config.common.out / "embedding.npy").shape == (400, 2)
    found = json.loads((config.common.out / "summary.json").read_text())
    assert (found["points"], found["held_out"], found["iterations"]) == (400, 80, 150)
    # Chance is a tenth; a map in one point has a KL of about 3 nats, and gives back the mean.
    assert found["held_out_knn_accuracy"] > 0.5
    assert found["kl"] < 2
    assert found["reconstruction_error"] < 1
    lines = [
        json.loads(line) for line in (config.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert lines[-1]["step"] == 150
    assert lines[-1]["triplet"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--kl", "0"], "--kl, triplet and reconstruction are all 0; one of them must be more"),
        (["--hidden", "0"], "--hidden must be widths of at least 1, found 0"),
        (["--perplexity", "90"], "perplexity must be from 1 to less than a third of the 240"),
        (["--dim", "4"], "--dim must be at most 3, found 4"),
        (["--held-out", "1"], "--held-out must be at least 0 and at most 0.9"),
        (["--learning-rate", "nan"], "--learning-rate must be"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_folder(flags, message, tmp_path, capsys):
    asked = ["--n", "300", *flags, "--out", str(tmp_path / "run")]
    assert command.main(parametric_tsne.Config, parametric_tsne.run, asked) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "run").exists()


def test_triplets_need_labels(tmp_path, capsys):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(60, 5)))
    asked = ["--data", str(tmp_path / "points.npy"), "--triplet", "1", "--perplexity", "5"]
    asked += ["--out", str(tmp_path / "run")]
    assert command.main(parametric_tsne.Config, parametric_tsne.run, asked) == 2
    assert "--triplet needs labels" in capsys.readouterr().err
