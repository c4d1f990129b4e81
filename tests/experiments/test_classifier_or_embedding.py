import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest
from jaxemb.experiments import classifier_or_embedding as experiment
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching import new_characters

from jaxemb.errors import InputError

pytestmark = pytest.mark.usefixtures("private_cache")

KNOWN, NEW, DRAWERS = 8, 6, 6


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Characters of large squares, which drawers shift; their numbers are not from 0."""
    rng = np.random.default_rng(0)
    ink = np.kron(rng.integers(2, size=(KNOWN + NEW, 5, 5)), np.ones((21, 21), int))
    pictures, characters, drawers = [], [], []
    for character, picture in enumerate(ink):
        for drawer in rng.permutation(DRAWERS):
            pictures.append(np.roll(picture, rng.integers(-6, 7, size=2), (0, 1)))
            characters.append(10 + character)
            drawers.append(3 + drawer)
    is_new = np.array(characters) >= 10 + KNOWN
    arrays = {
        "images_packed": np.packbits(np.array(pictures).reshape(len(pictures), -1), axis=1),
        "character": np.array(characters),
        "drawer": np.array(drawers),
        "alphabet": is_new.astype(int),
        "small_set": 1 + is_new,
        "alphabet_names": np.array(["one", "two"]),
        "oneshot_train_packed": np.zeros((1, 2, 1379), np.uint8),
        "oneshot_test_packed": np.zeros((1, 2, 1379), np.uint8),
        "oneshot_answer": np.array([[0, 1]]),
    }
    folder = tmp_path_factory.mktemp("data")
    np.savez(folder / "omniglot.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def finished(data_dir, tmp_path_factory, private_cache):
    out = tmp_path_factory.mktemp("runs") / "run"
    common = command.Common(data_dir=data_dir, out=out, checkpoint_seconds=0)
    config = dataclasses.replace(experiment.SMOKE, common=common)
    experiment.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_characters_are_parted(data_dir):
    path = data_dir / "omniglot.npz"
    found = new_characters.read(data_dir, seed=0, classes=NEW, samples=3)
    assert found.images.shape == (8 * KNOWN * DRAWERS, 21, 21, 1)
    assert np.bincount(found.labels).tolist() == [DRAWERS] * 8 * KNOWN
    # All eight ways to lay a picture down, each another class.
    ways = found.images[:: KNOWN * DRAWERS, :, :, 0]
    assert len(np.unique(ways, axis=0)) == 8
    for quarters in range(4):
        assert any((np.rot90(ways[0], quarters) == way).all() for way in ways)
        assert any((np.rot90(ways[0].T, quarters) == way).all() for way in ways)
    assert len(np.unique(found.labels[:: KNOWN * DRAWERS])) == 8
    assert found.samples.shape == found.asked.shape == (NEW, 3, 21, 21, 1)
    assert found.images.min() == 0
    assert found.images.max() == 1
    # A character's samples and those asked about are all its pictures, once each.
    packed = np.load(path)
    ink = np.unpackbits(packed["images_packed"], axis=1, count=105**2).sum(axis=1)
    both = np.concatenate([found.samples, found.asked], axis=1).sum(axis=(2, 3, 4)) * 25
    expected = ink.reshape(-1, DRAWERS)[KNOWN:]
    assert sorted(np.sort(np.round(both)).tolist()) == sorted(np.sort(expected).tolist())


def test_three_ways_are_compared(finished):
    summary = summary_of(finished)
    for way in experiment.TITLES:
        for name, points in (("classes", (6,)), ("samples", (1,)), ("day", (1, 2))):
            for point in points:
                assert 0.3 < summary[f"{way}_accuracy_{name}_{point}"] <= 1
                assert summary[f"{way}_seconds_{name}_{point}"] > 0
    # The same task: nothing was trained in between, and the gallery only grew.
    assert summary["embedding_accuracy_day_2"] == summary["embedding_accuracy_classes_6"]
    for name in ("classes", "samples", "day"):
        for field in ("accuracy", "seconds"):
            path = finished.common.out / f"{name}_{field}.png"
            assert path.read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_encoder_goes_on_to_the_same_bits(finished, tmp_path, monkeypatch):
    encoders = []

    def compare(config, module, encoder, *rest, **named):
        encoders.append(jax.tree.map(np.array, encoder))
        return {}

    monkeypatch.setattr(experiment, "compare", compare)
    for name, lost in (("whole", None), ("half", "00000040")):
        common = dataclasses.replace(finished.common, out=tmp_path / name)
        config = dataclasses.replace(finished, common=common)
        shutil.copytree(finished.common.out, config.common.out)
        (config.common.out / "summary.json").unlink()
        if lost:
            shutil.rmtree(config.common.out / "checkpoints" / lost)
        experiment.run(config)
    jax.tree.map(np.testing.assert_array_equal, encoders[0], encoders[-1])


def test_bad_input_is_named(data_dir, tmp_path, capsys):
    for flags, message in (
        (["--classes", "2", "200"], "has 6 characters to be new, 200 are asked for"),
        (["--shots", "4"], "has 3 samples to be new, 4 are asked for"),
        (["--classes", "1"], "--classes must be numbers of at least 2, found (1,)"),
        (["--tuned-share", "0"], "--tuned-share must be more than 0 and at most 1"),
        (["--identities", "65"], "a batch of 65 identities needs as many, found 64"),
        (["--features", "12"], "--features must be multiples of 8, found (12,)"),
        (["--data-dir", str(tmp_path)], "omniglot.npz: no such file"),
    ):
        small = ["--classes", "2", "--shots", "1", "--at-classes", "2", "--at-shots", "1"]
        small += ["--days", "1", "--daily", "1", "--identities", "8", "--data-dir", str(data_dir)]
        arguments = [*small, *flags, "--out", str(tmp_path / "run")]
        assert command.main(experiment.Config, experiment.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_too_few_are_refused(data_dir):
    with pytest.raises(InputError, match="has 6 characters to be new, 7 are asked for"):
        new_characters.read(data_dir, seed=0, classes=7, samples=1)
