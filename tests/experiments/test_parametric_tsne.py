import json

import numpy as np
import pytest
from jaxemb.experiments import parametric_tsne
from jaxemb.experiments.harness import command

pytestmark = pytest.mark.usefixtures("private_cache")


def test_all_terms_together_place_points_never_seen(tmp_path):
    config = parametric_tsne.Config(
        n=400,
        perplexity=10.0,
        iterations=150,
        batch=128,
        hidden=(64,),
        learning_rate=3e-3,
        triplet=0.1,
        reconstruction=1.0,
        out=tmp_path / "run",
    )
    parametric_tsne.run(config)
    assert {path.name for path in config.out.iterdir()} == {
        "checkpoints",
        "config.json",
        "embedding.npy",
        "held_out.png",
        "images.png",
        "map.html",
        "map.png",
        "metrics.jsonl",
        "summary.json",
    }
    assert np.load(config.out / "embedding.npy").shape == (400, 2)
    found = json.loads((config.out / "summary.json").read_text())
    assert (found["points"], found["held_out"], found["iterations"]) == (400, 80, 150)
    # Chance is a tenth; a map in one point has a KL of about 3 nats, and gives back the mean.
    assert found["held_out_knn_accuracy"] > 0.5
    assert found["kl"] < 2
    assert found["reconstruction_error"] < 1
    lines = [json.loads(line) for line in (config.out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 150
    assert lines[-1]["triplet"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--kl", "0"], "one of --kl, --triplet and --reconstruction must be more than 0"),
        (["--hidden", "0"], "--hidden must be at least 1 each"),
        (["--perplexity", "90"], "perplexity must be from 1 to less than a third of the 240"),
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
