import dataclasses
import json

import jax
import numpy as np
import pytest
from jaxemb.experiments import faces
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching import face_embedding
from jaxemb.experiments.harness.matching import training as harness

from jaxemb.io import gallery_file

pytestmark = pytest.mark.usefixtures("private_cache")

SHOTS = 4


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Forty people with a pattern each, photographed with noise and in changing light."""
    rng = np.random.default_rng(0)
    patterns = np.kron(rng.random((40, 14, 23)), np.ones((8, 4)))
    subject = np.repeat(np.arange(1, 41), SHOTS)
    light = rng.uniform(0.5, 1, (len(subject), 1, 1))
    images = 255 * light * np.clip(patterns[subject - 1], 0.1, 0.9)
    images += rng.normal(scale=6, size=images.shape)
    folder = tmp_path_factory.mktemp("data")
    np.savez(
        folder / "orl_faces.npz",
        images=np.clip(images, 0, 255).astype(np.uint8),
        subject=subject.astype(np.uint8),
    )
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache, data_dir):
    out = tmp_path_factory.mktemp("runs") / "run"
    common = command.Common(data_dir=data_dir, out=out, checkpoint_seconds=0)
    config = dataclasses.replace(faces.SMOKE, common=common)
    faces.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_a_run_leaves_its_results(finished):
    summary = summary_of(finished)
    assert summary["eer"] < 0.02  # the patterns are easy
    assert summary["rank1"] > 0.97
    assert {"pixels_eer", "auc", "rank5", "held_out_eer", "false_accept_rate"} <= summary.keys()
    assert summary["validation_rate"] > 0.8
    assert summary["open_set_identification_rate"] > 0.8
    for name in ("pairs", "neighbors", "images"):
        assert (finished.common.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert lines[-1]["step"] == 30


def test_the_gallery_recognizes_those_enrolled(finished, capsys):
    kept = gallery_file.read(finished.common.out / "gallery.npz")
    assert kept.names == [f"person {number}" for number in range(9, 25)]
    for name in kept.names:
        assert kept.vectors(name).shape == (2, 12)
        assert {found.name for found in kept.look_up(kept.vectors(name))} == {name}
    summary = summary_of(finished)
    # Person 25, by other photographs than those enrolled.
    assert summary["newcomer_named_rate"] == 1
    faces.run(finished)
    assert "holds this run, finished" in capsys.readouterr().out


def test_an_interrupted_run_goes_on_to_the_same_bits(finished, tmp_path):
    data = faces.faces.read(finished.common.data_dir)
    known = data.labels < finished.trained_on
    half = sorted((finished.common.out / "checkpoints").iterdir())[0]
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, common=common)
    assert harness.open_run(config, [common.data_dir / "orl_faces.npz"])
    (config.common.out / "checkpoints").mkdir()
    half.rename(config.common.out / "checkpoints" / half.name)
    embed = faces.embed_of(config, data.images[known], data.labels[known], common.out)
    kept = gallery_file.read(finished.common.out / "gallery.npz").vectors("person 9")
    shown = np.flatnonzero(data.labels == 8)[:2]
    np.testing.assert_array_equal(np.asarray(embed(data.images))[shown], kept)


def test_bad_flags_are_named(tmp_path, data_dir, capsys):
    for flags, message in (
        (["--identities", "17"], "--identities must be at most 15, the people left of 20"),
        (["--folds", "1"], "--folds must be at least 2 and at most 10, found 1"),
        (["--trained-on", "40"], "--trained-on must be at least 4 and at most 36"),
        (["--margin", "nan"], "--margin must be at least 0 and at most 4, found nan"),
        (["--gallery-shots", "10"], "--gallery-shots must be at least 1 and at most 9"),
        (
            ["--dim", "577", "--copies", "8"],
            "--dim must be at most 480, found 577: there are 576 gradients, and 60 photographs",
        ),
        (["--data-dir", str(tmp_path)], "orl_faces.npz: no such file"),
    ):
        arguments = ["--data-dir", str(data_dir), "--out", str(tmp_path / "run"), *flags]
        assert command.main(faces.Config, faces.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_each_copy_of_a_photograph_is_another():
    image = jax.random.uniform(jax.random.key(1), (1, 24, 20))
    first, again, second = (
        face_embedding.change(face_embedding.Changes(), jax.random.key(key), image)
        for key in (2, 2, 3)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, second, atol=0.01)
