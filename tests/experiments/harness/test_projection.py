import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.maps import drawing, projection
from matplotlib.font_manager import findfont
from pyarrow import parquet
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from jaxemb import checks, io
from jaxemb.errors import InputError

pytestmark = pytest.mark.usefixtures("private_cache")


@dataclasses.dataclass(frozen=True)
class Config:
    """An experiment with fields of its own."""

    points: projection.PointFlags = projection.PointFlags()
    common: command.Common = command.Common(out=Path("runs/test"))
    dim: int = 2
    """Dimensions of the map."""
    scale: float = 1.0
    """Of the map."""

    def __post_init__(self):
        checks.check_field(self, "dim", at_least=1)


def made(out, *, dim=2, **points):
    return Config(projection.PointFlags(**points), command.Common(seed=4, out=out), dim)


def run(config: Config) -> None:
    points = projection.prepare(config, dim=config.dim)
    if points is None:
        return
    embedding = config.scale * PCA(config.dim, random_state=0).fit_transform(points.values)
    title = f"{config.points.name}: PCA"
    projection.write(
        config.common.out,
        points,
        embedding,
        {"seconds": 1.5, "why": "done"},
        title=title,
        axes_names=[f"component {i}" for i in range(config.dim)],
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache):
    config = made(tmp_path_factory.mktemp("runs") / "finished", n=300)
    run(config)
    return config


def read(config, name="summary.json"):
    return json.loads((config.common.out / name).read_text())


def test_a_map_leaves_its_files(finished):
    assert sorted(path.name for path in finished.common.out.iterdir()) == [
        "config.json",
        "embedding.npy",
        "images.png",
        "map.html",
        "map.parquet",
        "map.png",
        "rows.npy",
        "summary.json",
    ]
    held = read(finished, "config.json")["config"]
    assert held.keys() >= {"data", "labels", "n", "seed", "dim", "scale"}
    assert (held["n"], held["scale"]) == (300, 1.0)


def test_the_embedding_is_in_the_order_of_the_input(finished):
    points = projection.load("digits", n=300, seed=4, data_dir=finished.common.data_dir)
    embedding = np.load(finished.common.out / "embedding.npy")
    assert embedding.dtype == np.float32
    expected = PCA(2, random_state=0).fit_transform(points.values)
    np.testing.assert_allclose(embedding, expected, atol=1e-4)


def test_the_summary_has_figures_and_scores(finished):
    points = projection.load("digits", n=300, seed=4, data_dir=finished.common.data_dir)
    embedding = np.load(finished.common.out / "embedding.npy")
    summary = read(finished)
    assert (summary["points"], summary["seconds"], summary["why"]) == (300, 1.5, "done")
    assert summary["neighbors"] == 10
    expected = trustworthiness(points.values, embedding, n_neighbors=10)
    # Digits are made of whole numbers: many points are equally far, which scikit-learn ranks by
    # where they stand.
    assert summary["trustworthiness"] == pytest.approx(expected, abs=1e-3)
    scores = ("continuity", "preservation", "shepard", "knn_accuracy")
    assert all(0.1 < summary[name] < 1 for name in scores)


def test_a_finished_run_is_only_shown(finished, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.common.out.iterdir()}
    run(finished)
    assert f"{finished.common.out} holds this run, finished" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in finished.common.out.iterdir()} == before
    with pytest.raises(InputError, match=r"scale is 1.0 there and 2.0 here"):
        run(dataclasses.replace(finished, scale=2.0))


def test_refused_points_leave_no_folder(tmp_path):
    def check(points):
        raise InputError(f"{len(points.values)} are too many")

    with pytest.raises(InputError, match="50 are too many"):
        projection.prepare(made(tmp_path / "run", n=50), dim=2, check=check)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dim", [1, 3, 5])
def test_other_dimensions_have_a_picture_too(tmp_path, dim):
    config = made(tmp_path / "run", dim=dim, n=50)
    run(config)
    assert np.load(config.common.out / "embedding.npy").shape == (50, dim)
    assert (config.common.out / "map.png").exists()
    # Of five dimensions the first two.
    assert (config.common.out / "map.html").exists() == (dim == 5)


def test_words_are_named_and_have_no_accuracy(tmp_path):
    words = [f"word{i}" for i in range(40)]
    path = tmp_path / "vectors.txt"
    io.write(path, words, np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32))
    config = made(tmp_path / "run", data=str(path), n=25)
    run(config)
    page = (config.common.out / "map.html").read_text()
    assert "word24" in page
    assert "word25" not in page
    assert "knn_accuracy" not in read(config)
    assert not (config.common.out / "images.png").exists()


def test_the_map_is_a_table_for_other_viewers(finished):
    table = parquet.read_table(finished.common.out / "map.parquet").to_pydict()
    assert list(table) == ["x", "y", "label", "neighbors"]
    points = projection.load("digits", n=300, seed=4, data_dir=finished.common.data_dir)
    assert table["label"] == [points.classes[label] for label in points.labels]
    near = drawing.find_neighbors(points.values, "euclidean")
    assert table["neighbors"][7]["ids"] == near.ids[7].tolist()


def test_without_pyarrow_a_line_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drawing.importlib.util, "find_spec", lambda name: None)
    run(made(tmp_path / "run", n=50))
    assert not (tmp_path / "run" / "map.parquet").exists()
    told = [line for line in capsys.readouterr().out.splitlines() if "map.parquet" in line]
    assert told == ["map.parquet is left out: pip install 'jaxemb[parquet]' for it"]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_page_s_neighbors_are_those_by_the_map_s_metric(metric):
    # Above the 10,000 points that a search of all pairs once was limited to.
    points = np.random.default_rng(0).gamma(1, size=(10_500, 3)).astype(np.float32) + [9, 0, 0]
    near = drawing.find_neighbors(points, metric)
    expected = cdist(points[:20], points, metric)
    expected[np.arange(20), np.arange(20)] = np.inf
    np.testing.assert_allclose(near.distances[:20], np.sort(expected)[:, :10], atol=1e-5)
    assert near.ids.shape == (10_500, 10)
    assert near.metric == {"euclidean": "Euclidean distance"}.get(metric, metric)


def test_too_many_points_for_neighbors_are_told(monkeypatch, capsys):
    monkeypatch.setattr(drawing, "PAGE_NEIGHBORS_MOST", 20)
    assert drawing.find_neighbors(np.eye(21), "cosine") is None
    assert "map.html has no neighbors: 21 points are more than 20" in capsys.readouterr().out


def test_another_font_draws_the_pictures_of_a_finished_run_again(tmp_path, capsys):
    config = made(tmp_path / "run", n=50)
    run(config)
    (picture := tmp_path / "run" / "map.png").unlink()
    font = findfont("DejaVu Serif")
    run(dataclasses.replace(config, common=dataclasses.replace(config.common, font=Path(font))))
    assert picture.exists()
    flags = ["--n", "50", "--out", str(tmp_path / "run"), "--font", str(tmp_path / "none.ttf")]
    assert command.main(Config, run, flags) == 2
    assert "error: --font: " in capsys.readouterr().err


def test_names_of_rows_are_no_words_by_frequency(tmp_path):
    rows = "\n".join(f"town {i},{i % 7},{i * i % 11}" for i in range(30))
    (tmp_path / "towns.csv").write_text(f"town,a,b\n{rows}\n")
    config = made(tmp_path / "run", data=str(tmp_path / "towns.csv"))
    run(config)
    page = (config.common.out / "map.html").read_text()
    assert '"ranked": false' in page
    assert '"town 29"' in page
    table = parquet.read_table(config.common.out / "map.parquet").to_pydict()
    assert table["label"][3] == "town 3"
    assert "town" not in table  # it is the label


def test_few_points_have_fewer_neighbors(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(4, 3)))
    config = made(tmp_path / "run", data=str(tmp_path / "points.npy"))
    run(config)
    assert read(config)["neighbors"] == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--n", "-1"], "--n must be at least 0, found -1"),
        (["--dim", "0"], "--dim must be at least 1, found 0"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--n", "3"], "digits: 3 points are too few for a map of 2 dimensions; at least 4"),
        (["--n", "9", "--dim", "9"], "9 points are too few for a map of 9 dimensions; at least 10"),
        (["--n", "2000"], "--n must be at most 1,797, the points of digits, found 2000"),
        (["--data", "moon"], "--data must be one of digits, mnist,"),
        (
            ["--data", "mnist", "--data-dir", "none"],
            "mnist.npz: no such file. `jaxemb data mnist` gets it; it is expected there as",
        ),
        (["--labels", "none.txt"], "none.txt: no such file"),
        (["--scale", "nan"], "300 of 300 points of the map are not finite"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, flags, message):
    status = command.main(Config, run, ["--n", "300", "--out", str(tmp_path / "run"), *flags])
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
