import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import compare_projections
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.maps import projection

from jaxemb.evaluation.projection import pair_distances

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    common = command.Common(out=tmp_path_factory.mktemp("runs") / "run")
    config = dataclasses.replace(compare_projections.SMOKE, common=common)
    compare_projections.run(config)
    return config


def test_each_method_leaves_a_map_and_its_scores(finished):
    summary = json.loads((finished.common.out / "summary.json").read_text())
    assert summary["points"] == 120
    points = projection.load("digits", n=120, data_dir=finished.common.data_dir)
    for method in compare_projections.TITLES:
        embedding = np.load(finished.common.out / f"embedding_{method}.npy")
        assert embedding.shape == (120, 2)
        assert embedding.dtype == np.float32
        expected = projection.score(points.values, embedding, points.labels)
        found = {name: summary[f"{method}_{name}"] for name in expected}
        assert found == pytest.approx(expected)
    total = sum(summary[f"{method}_seconds"] for method in compare_projections.TITLES)
    assert summary["seconds"] == pytest.approx(total)


def test_the_scores_are_in_the_order_that_the_methods_aim_at(finished):
    summary = json.loads((finished.common.out / "summary.json").read_text())
    # Least stress where it is what is minimized; best neighbors by t-SNE.
    assert summary["smacof_stress"] < summary["pca_stress"]
    assert summary["sammon_stress"] < summary["pca_stress"]
    assert summary["tsne_knn_accuracy"] > summary["pca_knn_accuracy"] + 0.05
    # Of Euclidean distances, classical MDS is PCA.
    assert summary["classical_stress"] == pytest.approx(summary["pca_stress"], rel=1e-3)


def test_picture_and_table_have_all_methods(finished):
    table = (finished.common.out / "table.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == [
        f"| {title}" for title in compare_projections.TITLES.values()
    ]
    assert "kNN accuracy" in table[0]
    assert (finished.common.out / "compare.png").read_bytes().startswith(b"\x89PNG")


def test_a_finished_run_is_only_shown(finished, capsys, monkeypatch):
    monkeypatch.setattr(compare_projections, "make_map", None)
    compare_projections.run(finished)
    assert "holds this run, finished" in capsys.readouterr().out


def test_the_best_stress_is_that_of_the_best_scale():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 5))
    embedding = 7 * points[:, :2] + rng.normal(size=(50, 2))
    wanted, shown = pair_distances(points, embedding)
    scales = np.linspace(0, 1, 20_001)
    losses = [np.square(wanted - scale * shown).sum() for scale in scales]
    expected = np.sqrt(min(losses) / np.square(wanted).sum())
    assert compare_projections.best_stress(points, embedding) == pytest.approx(expected, rel=1e-4)
    assert compare_projections.best_stress(points, 3 * points) < 1e-6


def test_numbers_without_labels_are_mapped_in_three_dimensions(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(40, 6)))
    config = compare_projections.Config(
        points=projection.PointFlags(data=str(tmp_path / "points.npy")),
        dim=3,
        methods=("pca", "smacof"),
        common=command.Common(out=tmp_path / "run"),
    )
    compare_projections.run(config)
    assert np.load(config.common.out / "embedding_smacof.npy").shape == (40, 3)
    assert "kNN" not in (config.common.out / "table.md").read_text()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--methods", "umap"], "invalid choice 'umap'"),
        (["--methods", "pca", "pca"], "--methods must name one method or more, each once"),
        (["--hidden", "0"], "--hidden must be widths of at least 1, found 0"),
        (["--dim", "4"], "--dim must be at least 1 and at most 3"),
        (
            ["--n", "90", "--perplexity", "30"],
            "--perplexity 30 must be less than a third of the 90 points",
        ),
        (["--iterations", "0"], "--iterations must be at least 1"),
        (
            ["--data", "MANY"],
            "10,001 points, but classical, sammon, smacof look at all pairs and",
        ),
    ],
)
def test_bad_input_is_told(tmp_path, capsys, flags, message):
    if "MANY" in flags:
        np.save(tmp_path / "many.npy", np.eye(10_001, 2))
        flags = ["--data", str(tmp_path / "many.npy")]
    flags = ["--out", str(tmp_path / "run"), *flags]
    assert command.main(compare_projections.Config, compare_projections.run, flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    # What is mended may go into the same folder.
    assert not (tmp_path / "run").exists()
