import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import contrastive_images as script
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching.own_pictures import PictureFlags
from PIL import Image

from jaxemb import contrastive_images, io
from jaxemb.commands.main import main

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(private_cache, tmp_path_factory):
    config = dataclasses.replace(
        script.SMOKE, common=command.Common(out=tmp_path_factory.mktemp("runs") / "run")
    )
    script.run(config)
    return config


def test_every_representation_is_judged(finished):
    figures = json.loads((finished.common.out / "summary.json").read_text())
    for name in ("pixels", "pca", "edges", "autoencoder", "network", "patches"):
        assert 0 < figures[f"{name}_neighbors"] <= 1
        assert figures[f"{name}_seconds"] >= 0
    assert figures["patches_neighbors"] > 0.85
    assert figures["patches_linear"] > 0.8
    assert figures["patches_width"] == 16
    lines = (finished.common.out / "table.md").read_text().splitlines()
    assert len(lines) == 2 + 6
    assert lines[-1].startswith("| patches, contrasted | 16 |")


def test_vectors_model_and_pictures_are_written(finished):
    out = finished.common.out
    vectors = np.load(out / "vectors.npy")
    assert vectors.shape == (400, 16)
    fitted = io.load(out / "model")
    new = np.zeros((2, 16, 16), np.uint8)
    new[0, 4:12, 7:9] = 16
    assert contrastive_images.encode(fitted.model, new).shape == (2, 16)
    for name in ("map.png", "nearest.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert '"pictured": 40' in (out / "map.html").read_text()


def test_the_same_command_shows_it(finished, capsys):
    script.run(finished)
    assert "holds this run, finished" in capsys.readouterr().out


def test_a_folder_without_classes_has_a_map_alone(tmp_path, capsys):
    rng = np.random.default_rng(0)
    (tmp_path / "own").mkdir()
    for number in range(60):
        image = rng.integers(256, size=(4, 5, 3)).astype(np.uint8).repeat(5, 0).repeat(5, 1)
        Image.fromarray(image).save(tmp_path / "own" / f"{number}.png")
    config = dataclasses.replace(
        script.SMOKE,
        pictures=PictureFlags(data=str(tmp_path / "own")),
        common=command.Common(out=tmp_path / "run"),
    )
    script.run(config)
    figures = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert figures["pictures"] == 60
    assert "patches_neighbors" not in figures
    assert "60 pictures of 20 x 20 pixels" in capsys.readouterr().out
    assert '"0.png"' in (tmp_path / "run" / "map.html").read_text()
    out = str(tmp_path / "again.npy")
    assert main(["predict", str(tmp_path / "run"), str(tmp_path / "own"), "--out", out]) == 0
    np.testing.assert_allclose(np.load(out), np.load(tmp_path / "run" / "vectors.npy"), atol=1e-4)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "digits", "--n", "59"], "60 pictures or more are needed, found 59"),
        (["--data", "digits", "--cells", "7"], "images must have 12 pixels a side or more"),
        (["--patch-dim", "4000"], "must be less than"),
        (["--network-iterations", "0"], "--network-iterations must be at least 1"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, flags, message):
    flags = [*flags, "--out", str(tmp_path / "run")]
    assert command.main(script.Config, script.run, flags) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists() or not list((tmp_path / "run").glob("summary.json"))
