import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import distances
from jaxemb.experiments.harness import command
from scipy.spatial.distance import pdist, squareform
from sklearn.datasets import load_digits

from jaxemb.io.points import load

pytestmark = pytest.mark.usefixtures("private_cache")

N = distances.SMOKE.points.n


def made(out, **fields):
    return dataclasses.replace(distances.SMOKE, common=command.Common(out=out), **fields)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    config = made(tmp_path_factory.mktemp("runs") / "run")
    distances.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def values_of(config):
    return load("digits", n=N, seed=config.common.seed, data_dir=config.common.data_dir)


def test_the_summary_tells_the_stress_of_the_map(finished):
    summary = summary_of(finished)
    wanted = pdist(values_of(finished).values)
    found = pdist(np.load(finished.common.out / "embedding.npy"))
    errors = np.square(wanted - found).sum()
    assert summary["stress"] == pytest.approx(errors, rel=1e-4)
    assert summary["kruskal_stress"] == pytest.approx(np.sqrt(errors / (found**2).sum()), rel=1e-4)
    assert summary["points"] == N
    assert 0 < summary["iterations"] <= 60
    assert summary["stopped_because"] in {"converged", "done"}
    for name in ("map", "pairs", "histogram", "shepard", "stress"):
        assert (finished.common.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_pairs_are_those_of_all_pairs(finished):
    points = values_of(finished)
    square = squareform(pdist(points.values))
    expected = []
    for first, second in distances.SHOWN:
        block = square[np.ix_(points.labels == int(first), points.labels == int(second))]
        expected.append(block.max() if first == second else block.min())
    summary = summary_of(finished)
    names = ["pair_0_1_1", "pair_1_9_3", "pair_2_4_9"]
    assert [summary[name] for name in names] == pytest.approx(expected, rel=1e-5)
    # What the experiment is about.
    assert expected[0] > max(expected[1:])


def test_distances_within_and_between(finished):
    points = values_of(finished)
    square = squareform(pdist(points.values))
    same = points.labels[:, None] == points.labels[None, :]
    above = np.triu(np.ones((N, N), bool), 1)
    within, between = square[same & above], square[~same & above]
    summary = summary_of(finished)
    assert summary["within_distance"] == pytest.approx(within.mean(), rel=1e-5)
    assert summary["between_distance"] == pytest.approx(between.mean(), rel=1e-5)
    share = (between < np.median(within)).mean()
    assert summary["between_nearer_than_half_of_within"] == pytest.approx(share, abs=1e-3)


def test_other_classes_have_their_own_pairs():
    labels = np.array([0, 0, 1, 1, 1])
    places = np.array([[0.0], [5], [7], [9], [10]])
    far, near = distances.find_pairs(("cat", "dog"), labels, squareform(pdist(places)))
    assert far == ((0, 1), ("cat", "cat"), 5)
    assert near == ((1, 2), ("cat", "dog"), 2)


@pytest.mark.parametrize("method", ["classical", "sammon", "gradient"])
def test_other_methods(finished, tmp_path, method):
    config = made(tmp_path / "run", method=method)
    distances.run(config)
    summary = summary_of(config)
    assert np.load(config.common.out / "embedding.npy").shape == (N, 2)
    best = summary_of(finished)["stress"]
    if method == "gradient":
        assert summary["stress"] == pytest.approx(best, rel=0.05)
    elif method == "classical":
        assert summary["stress"] > 1.5 * best
        assert summary["stopped_because"] == "exact solution"
    else:
        assert 0 < summary["stress"] < 0.2


def test_many_points_are_mapped_by_samples_of_pairs(finished, tmp_path):
    config = made(tmp_path / "run", method="gradient", subset=50, iterations=300, all_pairs=100)
    distances.run(config)
    summary = summary_of(config)
    # Measured on 100 of 150 points.
    assert summary["stress"] == pytest.approx(summary_of(finished)["stress"], rel=0.1)
    assert summary["iterations"] == 300
    other = made(tmp_path / "other", all_pairs=100)
    with pytest.raises(ValueError, match="150 points, but smacof looks at all pairs and takes 100"):
        distances.run(other)
    assert not other.common.out.exists()


def test_bad_flags_are_named(tmp_path, capsys):
    images = load_digits().data[:20]
    images[3] = images[11]
    np.save(tmp_path / "points.npy", images)
    mine = ["--data", str(tmp_path / "points.npy")]
    for flags, message in (
        (["--iterations", "0"], "--iterations must be at least 1, found 0"),
        (["--tolerance", "nan"], "--tolerance must be at least 0"),
        (["--subset", "1"], "--subset must be at least 2"),
        ([*mine, "--method", "sammon"], "the first in rows 3 and 11; keep one point"),
    ):
        arguments = [*flags, "--out", str(tmp_path / f"run{len(message)}")]
        assert command.main(distances.Config, distances.run, arguments) == 2
        assert message in capsys.readouterr().err
