import dataclasses
import json

import jax
import numpy as np
import pytest
from jaxemb.experiments import matching as script
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching.own_pictures import PictureFlags
from PIL import Image

from jaxemb import io
from jaxemb.commands.main import main
from jaxemb.methods import matching

pytestmark = pytest.mark.usefixtures("private_cache")

RNG = np.random.default_rng(0)


def write(folder, classes, shots, size=(16, 20)):
    """A folder of individuals with a pattern each, photographed with noise in changing light."""
    for number in range(classes):
        pattern = np.kron(
            RNG.uniform(0.2, 0.8, (size[0] // 4, size[1] // 4, 3)), np.ones((4, 4, 1))
        )
        place = folder / f"name {number}"
        place.mkdir(parents=True)
        for shot in range(shots):
            image = RNG.uniform(0.6, 1) * 255 * pattern + RNG.normal(scale=20, size=(*size, 3))
            image = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
            image.save(place / f"{shot}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "photos", 10, 6)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache, photos):
    config = dataclasses.replace(
        script.SMOKE,
        pictures=PictureFlags(str(photos)),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "run", checkpoint_seconds=0),
    )
    script.run(config)
    return config


def test_a_run_leaves_its_results(finished):
    out = finished.common.out
    summary = json.loads((out / "summary.json").read_text())
    assert summary["auc"] > 0.9
    assert summary["pictures"], summary["judged"] == (60, 12)
    for prefix in ("", "pixels_"):
        for name in ("auc", "eer", "recall_at_1", "one_shot_error", "one_shot_interval"):
            assert 0 <= summary[prefix + name] <= 1
    for name in ("pairs", "neighbors", "images"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "map.html").exists()


def test_the_encoder_that_is_saved_is_of_use_to_commands(finished, photos, tmp_path, capsys):
    out, gallery = str(finished.common.out), str(tmp_path / "g.npz")
    fitted = io.load(out)
    assert (
        fitted.threshold
        == json.loads((finished.common.out / "summary.json").read_text())["open_set_threshold"]
    )
    assert fitted.threshold_from == (
        "accepts at most 5% of strangers' pictures, chosen on 2 other classes"
    )
    assert (fitted.model.module.side, fitted.model.module.color) == (16, True)
    capsys.readouterr()
    assert main(["gallery", "build", str(photos), "--encoder", out, "--out", gallery]) == 0
    assert "10 individuals, 60 pictures" in capsys.readouterr().out
    picture = str(photos / "name 3" / "2.png")
    assert main(["gallery", "look-up", picture, "--gallery", gallery]) == 0
    assert capsys.readouterr().out.splitlines()[1].split("\t")[1:3] == ["name 3", "0.0000"]
    assert main(["predict", out, str(photos), "--out", str(tmp_path / "v.npy")]) == 0
    vectors = np.load(tmp_path / "v.npy")
    assert vectors.shape == (60, 8 + fitted.model.module.pixels * 16 * 16 * 3)
    read = np.stack([np.asarray(Image.open(photos / "name 3" / "2.png"))])[:, :, 2:18]
    own = matching.encode(fitted.model, read)
    np.testing.assert_allclose(own[0], vectors[3 * 6 + 2], atol=1e-5)


def test_the_same_command_shows_it(finished, capsys):
    script.run(finished)
    assert "holds this run, finished" in capsys.readouterr().out


@pytest.mark.parametrize(("classes", "shots"), [(4, 5), (2, 4)])
def test_few_pictures_do(tmp_path, capsys, classes, shots):
    config = dataclasses.replace(
        script.SMOKE,
        pictures=PictureFlags(str(write(tmp_path / "photos", classes, shots, (12, 12)))),
        options=dataclasses.replace(script.SMOKE.options, iterations=3),
        common=command.Common(out=tmp_path / "run"),
    )
    script.run(config)
    out = capsys.readouterr().out
    told = "2 of 4 classes (" if classes == 4 else "a part of the pictures of each class, for 2"
    assert f"training never sees {told}" in out
    assert "classes, 8 of each of 2 in a batch, 3 steps" in out
    assert "few classes teach little" in out
    assert io.load(tmp_path / "run").model.module.pixels
    assert "no classes are left to choose by whom a gallery does not know" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert all(value is not None for value in summary.values())
    assert "open_set_threshold" not in summary
    assert io.load(tmp_path / "run").threshold is None


def test_bad_input_is_one_line(tmp_path, photos, capsys):
    single = write(tmp_path / "single", 3, 1)
    one = write(tmp_path / "one", 1, 9)
    for flags, message in (
        (
            ["--data", single],
            "two classes or more are needed, with two pictures or more each, found",
        ),
        (["--data", one], "two classes or more are needed"),
        (["--data", one / "name 0"], "whom or what does each picture show? Put those of each"),
        (["--data", tmp_path / "none"], "--data must be one of digits, mnist"),
        (["--data", photos, "--held-out", "0.6"], "--held-out must be more than 0 and at most 0.5"),
        (
            ["--data", photos, "--features", "8", "8", "8", "8", "8"],
            "--features must be at most 4 ",
        ),
        (["--data", photos, "--features", "12"], "--features must be multiples of 8"),
        (["--data", photos, "--image-side", "4"], "--image-side must be at least 8"),
        (["--data", photos, "--n", "61"], "--n must be at most 60"),
        (
            ["--data", photos, *["--loss", "nt_xent", "--identities", "2", "--samples", "3"]],
            "--samples must",
        ),
    ):
        words = [*map(str, flags), "--out", str(tmp_path / "run")]
        assert command.main(script.Config, script.run, words) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("shape", [(2, 12, 12), (2, 12, 12, 3)])
def test_pictures_are_changed_each_in_its_way(shape):
    images = RNG.integers(256, size=shape, dtype=np.uint8)
    first, again, second = (
        script.change(script.Changes(mirror=True), jax.random.key(key), images) for key in (2, 2, 3)
    )
    assert first.shape == (2, 12, 12, 1 if len(shape) == 3 else 3)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, second, atol=1)
    still = script.Changes(rotation=0, scale=0, shear=0, shift=0)
    same = script.change(still, jax.random.key(0), images)
    np.testing.assert_allclose(same.reshape(shape), images, atol=1e-3)


def test_batches_fit_the_classes():
    config = script.Config()
    for classes, expected in (
        (40, (32, 4)),
        (32, (32, 4)),
        (8, (8, 16)),
        (20, (20, 6)),
        (2, (2, 16)),
    ):
        fitting = script.fit_to(config, np.arange(classes))
        assert (fitting.identities, fitting.samples, fitting.iterations) == (*expected, 200)
    many = script.fit_to(config, np.arange(100_000) % 8)
    assert (many.identities, many.samples, many.iterations) == (8, 16, 1000)
    # Twenty times 3,200 pictures, 128 a step.
    assert script.fit_to(config, np.arange(3200) % 40).iterations == 500
