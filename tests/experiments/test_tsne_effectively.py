import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import tsne_effectively
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.maps import tsne_lessons as lessons

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.mark.parametrize(
    ("name", "truth", "tolerance"),
    [
        ("perplexity", 0.74, 0.03),
        ("sizes", 10, 1),
        ("distances", 5, 0.2),
        ("noise", 1, 0),
        # The second axis is half as long as the first.
        ("shapes", 2, 0.3),
        ("topology", 50, 4),
    ],
)
def test_the_points_are_what_the_claim_says(name, truth, tolerance):
    lesson = lessons.LESSONS[name]
    points, labels = lesson.make(np.random.default_rng(0), 400)
    assert len(points) == len(labels) == 400
    found = lesson.measure(points, labels)
    assert found == pytest.approx(truth, abs=tolerance)
    # What is measured doesn't depend on the map's place, scale and orientation.
    turned = 3 * points[:, ::-1] + 8
    assert lesson.measure(turned, labels) == pytest.approx(found)


def test_pieces_are_counted():
    points = np.repeat([[0.0, 0], [100, 0], [0, 100]], 20, axis=0)
    points += np.random.default_rng(1).normal(size=points.shape)
    assert lessons.pieces(points, np.zeros(60)) == 3


def test_the_knot_is_a_closed_loop():
    points, labels = lessons.knot(np.random.default_rng(0), 300)
    steps = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    assert steps.max() < 3 * steps.min()
    assert np.bincount(labels).tolist() == [30] * 10


def test_maps_of_one_shape_agree():
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(50, 2))
    turned = np.stack([shape, 4 * shape[:, ::-1] - 3, shape + 9])
    assert tsne_effectively.agreement(turned) == pytest.approx(1)
    assert tsne_effectively.agreement(rng.normal(size=(3, 50, 2))) < 0.3


def test_a_run_tells_truth_maps_and_stability(tmp_path, monkeypatch, capsys):
    # Each lesson and perplexity compiles a program: two are enough here.
    kept = {name: lessons.LESSONS[name] for name in ("perplexity", "sizes")}
    monkeypatch.setattr(tsne_effectively, "LESSONS", kept)
    common = command.Common(out=tmp_path / "run")
    config = dataclasses.replace(tsne_effectively.SMOKE, common=common)
    tsne_effectively.run(config)
    summary = json.loads((config.common.out / "summary.json").read_text())
    # A perplexity of a good part of a cluster parts two clusters, and draws them as large.
    assert summary["perplexity_20"] > 0.6
    assert summary["sizes"] > 8
    assert 0.7 < summary["sizes_20"] < 1.5
    assert 0 < summary["sizes_20_stability"] <= 1
    assert "knot_20_stability" in summary
    assert {path.name for path in config.common.out.iterdir()} == {
        "config.json",
        "lessons.png",
        "runs.png",
        "summary.json",
    }
    told = capsys.readouterr().out
    assert "2. Sizes mean nothing" in told
    assert f"{summary['sizes_20']:8.2f}" in told
    tsne_effectively.run(config)
    assert "holds this run, finished" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--perplexities", "2", "134"], "--perplexities must be at least 1 and less than a third"),
        (["--perplexities", "nan"], "found nan"),
        (["--seeds", "1"], "--seeds must be at least 2"),
        (["--n", "39"], "--n must be at least 40"),
    ],
)
def test_bad_flags_are_told(tmp_path, capsys, flags, message):
    flags = ["--out", str(tmp_path / "run"), *flags]
    assert command.main(tsne_effectively.Config, tsne_effectively.run, flags) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
