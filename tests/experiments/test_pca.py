import csv
import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import pca
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.maps.projection import PointFlags
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from jaxemb.methods import pca as methods

pytestmark = pytest.mark.usefixtures("private_cache")


def made(out, *, data="digits", options=None, **fields):
    options = pca.Config().options if options is None else options
    common = command.Common(out=out)
    return pca.Config(points=PointFlags(data), options=options, common=common, **fields)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    out = tmp_path_factory.mktemp("runs") / "run"
    config = dataclasses.replace(pca.SMOKE, common=command.Common(out=out))
    pca.run(config)
    return config


def test_the_map_is_scikit_learns(finished):
    values = load_digits().data / 16
    theirs = PCA(50).fit(values)
    embedding = np.load(finished.common.out / "embedding.npy")
    np.testing.assert_allclose(embedding, theirs.transform(values)[:, :2], atol=1e-4)
    summary = json.loads((finished.common.out / "summary.json").read_text())
    explained = np.cumsum(theirs.explained_variance_ratio_)
    for count in (2, 10, 50):
        assert summary[f"explained_variance_{count}"] == pytest.approx(explained[count - 1], 1e-4)
    assert summary["stopped_because"] == "exact solution"
    assert (finished.common.out / "variance.png").read_bytes().startswith(b"\x89PNG")


def test_noise_is_what_pca_takes_off(finished):
    with (finished.common.out / "overfitting.csv").open() as file:
        rows = list(csv.DictReader(file))
    # Two amounts of noise, two numbers of examples, three repeats, three kinds of features.
    assert len(rows) == 2 * 2 * 3 * 3
    summary = json.loads((finished.common.out / "summary.json").read_text())

    def mean(noise, features, examples):
        found = [
            float(row["test"])
            for row in rows
            if (float(row["noise"]), row["features"], row["examples"])
            == (noise, features, str(examples))
        ]
        name = f"accuracy_noise_{noise:g}_{features.replace(' ', '_')}_of_{examples}"
        assert summary[name] == pytest.approx(np.mean(found))
        return summary[name]

    for examples in (20, 100):
        assert mean(1.0, "10", examples) > mean(1.0, "all", examples) + 0.03
        assert mean(0.0, "all", examples) > mean(1.0, "all", examples) + 0.2
    assert mean(0.0, "all", 100) > mean(0.0, "all", 20)
    assert mean(0.0, "10 whitened", 100) > 0.8
    assert (finished.common.out / "overfitting.png").read_bytes().startswith(b"\x89PNG")


def test_examples_are_spread_over_the_classes():
    labels = np.repeat([0, 1, 2], [50, 30, 2])
    chosen = pca.balanced(labels, 12, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 12
    assert np.bincount(labels[chosen]).tolist() == [5, 5, 2]


def test_randomized_finds_the_same_map(finished, tmp_path):
    options = methods.Options(components=50, solver="randomized")
    config = made(tmp_path / "run", options=options, examples=())
    pca.run(config)
    one, other = (np.load(run.common.out / "embedding.npy") for run in (finished, config))
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert not (config.common.out / "overfitting.csv").exists()


def test_numbers_without_labels(tmp_path):
    path = tmp_path / "points.npy"
    np.save(path, np.random.default_rng(0).normal(size=(9, 3)))
    config = made(tmp_path / "run", data=str(path), options=methods.Options(components=8))
    pca.run(config)
    summary = json.loads((config.common.out / "summary.json").read_text())
    assert summary["explained_variance_3"] == pytest.approx(1)
    assert "knn_accuracy" not in summary


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--examples", "10", "0"], "--examples must all be at least 1, found 0"),
        (["--noise", "nan"], "--noise must be from 0 to 1,000,000, found nan"),
        (["--components", "0"], "--components must be at least 1, found 0"),
        (["--dim", "65"], "--dim must be at most 64, the rank that digits has, found 65"),
    ],
)
def test_bad_flags_are_named(flags, message, tmp_path, capsys):
    assert command.main(pca.Config, pca.run, [*flags, "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def test_equal_points_have_no_directions(tmp_path, capsys):
    np.save(tmp_path / "equal.npy", np.ones((30, 3)))
    flags = ["--data", str(tmp_path / "equal.npy"), "--out", str(tmp_path / "run")]
    assert command.main(pca.Config, pca.run, flags) == 2
    assert "all 30 points are equal; were the right columns read?" in capsys.readouterr().err
