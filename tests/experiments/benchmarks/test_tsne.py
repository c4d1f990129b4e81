import numpy as np
import pytest
from jaxemb.experiments.benchmarks import tsne, tsne_child

from jaxemb.errors import InputError


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Points in two clusters, their labels and a map that is a copy of their first two columns."""
    folder = tmp_path_factory.mktemp("work")
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    points = rng.normal(size=(120, 6)).astype(np.float32)
    points[:, 0] += 8 * labels
    paths = {name: str(folder / f"{name}.npy") for name in ("points", "labels", "map", "noise")}
    arrays = {
        "points": points,
        "labels": labels,
        "map": points[:, :2],
        "noise": rng.normal(size=(120, 2)).astype(np.float32),
    }
    for name, array in arrays.items():
        np.save(paths[name], array)
    return paths


def test_a_map_that_keeps_neighbors_is_judged_better(files):
    good, bad = tsne_child.evaluate(
        points=files["points"],
        labels=files["labels"],
        n=120,
        perplexity=10,
        maps=[files["map"], files["noise"]],
    )
    assert good["kl"] < bad["kl"]
    assert good["knn_accuracy"] > 0.95
    assert bad["knn_accuracy"] < 0.8


def test_grids_are_compared_with_all_pairs(files):
    found = tsne_child.repulsion(embedding=files["map"])
    assert 0 < found["accurate_error"] < found["fast_error"] < 0.1
    assert all(found[f"{name}_ms"] > 0 for name in ("fast", "accurate", "exact"))


@pytest.mark.parametrize("kind", ["exact", "randomised"])
def test_both_systems_find_the_same_components(files, kind):
    variances = [
        tsne_child.pca(pixels=files["points"], solver=f"{system} {kind}", components=2, repeats=1)
        for system in ("sklearn", "jaxemb")
    ]
    assert variances[0]["variance"] == pytest.approx(variances[1]["variance"], rel=1e-3)


def test_mistakes(tmp_path):
    with pytest.raises(InputError, match="iterations must be at least 250"):
        tsne.Config(iterations=90)
    with pytest.raises(InputError, match="needs the map of the part mnist"):
        tsne.repulsion(tsne.Config(out=tmp_path))
