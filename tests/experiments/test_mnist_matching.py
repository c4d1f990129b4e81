import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import mnist_matching
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching import digit_embedding
from jaxemb.experiments.harness.matching import training as harness

from jaxemb.methods import matching

pytestmark = pytest.mark.usefixtures("private_cache")

TRAIN = 200


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Ten digits, each a blotch of its own and noise."""
    rng = np.random.default_rng(0)
    blotches = np.pad(
        np.kron(rng.random((10, 5, 5)) < 0.5, np.ones((4, 4))), ((0, 0), (4, 4), (4, 4))
    )
    labels = np.concatenate([np.arange(TRAIN) % 10, np.arange(100) % 10]).astype(np.uint8)
    images = 200 * blotches[labels] + rng.uniform(0, 55, (len(labels), 28, 28))
    images[:, 0] = images[:, -1] = images[:, :, 0] = images[:, :, -1] = 0
    folder = tmp_path_factory.mktemp("data")
    images = images.astype(np.uint8)
    np.savez(
        folder / "mnist.npz",
        x_train=images[:TRAIN],
        y_train=labels[:TRAIN],
        x_test=images[TRAIN:],
        y_test=labels[TRAIN:],
    )
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache, data_dir):
    out = tmp_path_factory.mktemp("runs") / "run"
    common = command.Common(data_dir=data_dir, out=out, checkpoint_seconds=0)
    config = dataclasses.replace(mnist_matching.SMOKE, common=common)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_embedding, "TRAIN", TRAIN)
        mnist_matching.run(config)
    return config


def test_a_run_leaves_its_results(finished):
    summary = json.loads((finished.common.out / "summary.json").read_text())
    assert 0.5 < summary["auc"] <= 1
    assert 0 <= summary["eer"] < 0.5
    assert summary["one_shot_error"] < 0.4
    assert {"pixels_auc", "threshold", "validation_rate"} <= summary.keys()
    for name in ("pairs", "neighbors", "images"):
        assert (finished.common.out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [25, 40]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_gradients_match_without_training(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(digit_embedding, "TRAIN", TRAIN)
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, encoder="gradients", common=common)
    mnist_matching.run(config)
    summary = json.loads((config.common.out / "summary.json").read_text())
    assert summary["auc"] > 0.99  # the blotches are easy
    assert summary["centred_auc"] > 0.99
    assert summary["one_shot_error"] < 0.01
    assert not (config.common.out / "checkpoints").exists()


def test_an_interrupted_run_goes_on_to_the_same_bits(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(digit_embedding, "TRAIN", TRAIN)
    data = mnist_matching.mnist.read(finished.common.data_dir)
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    whole, rest = finished, dataclasses.replace(finished, common=common)
    expected = digit_embedding.train(whole, data)(data.images[:20])  # as its checkpoint has it
    assert harness.open_run(rest, [finished.common.data_dir / "mnist.npz"])
    (rest.common.out / "checkpoints").mkdir()
    half = whole.common.out / "checkpoints" / "00000025"
    half.rename(rest.common.out / "checkpoints" / half.name)
    found = digit_embedding.train(rest, data)(data.images[:20])
    np.testing.assert_array_equal(found, expected)


def test_turned_digits_are_classes_of_their_own():
    config = mnist_matching.Config(
        trained_on=(1, 3, 4), judged_on=(7, 8), turned=(3,), options=matching.Options(identities=4)
    )
    labels = np.array([3, 7, 1, 4, 3, 0])
    rows, turns, classes = digit_embedding.classes_of(config, labels)
    found = sorted(zip(labels[rows].tolist(), turns.tolist(), strict=True))
    assert found == sorted([(1, 0), (4, 0)] + 2 * [(3, turn) for turn in range(8)])
    assert sorted(set(classes)) == list(range(10))
    assert len(set(zip(labels[rows], turns, classes, strict=True))) == 10


def test_bad_flags_are_named(tmp_path, data_dir, capsys):
    for flags, message in (
        (["--judged-on", "6", "7"], "--judged-on 6 is trained on; it must be a digit never seen"),
        (["--judged-on", "7"], "--judged-on must be at least 2 digits"),
        (["--trained-on", "0", "10"], "--trained-on must be different digits of 0 to 9"),
        (["--turned", "8"], "--turned 8 is none of trained_on"),
        (["--temperature", "0"], "--temperature must be more than 0"),
        (["--dim", "589"], "--dim must be at least 1 and at most 588, found 589"),
        (["--shrinkage", "0"], "--shrinkage must be more than 0"),
        (["--features", "12"], "--features must be multiples of 8, found (12,)"),
        (["--rotation", "nan"], "--rotation must be at least 0 and at most 180, found nan"),
        (
            ["--identities", "60"],
            "--identities must be at most 42, the classes there are, found 60",
        ),
        (["--data-dir", str(tmp_path)], "mnist.npz: no such file"),
    ):
        arguments = ["--data-dir", str(data_dir), "--out", str(tmp_path / "run"), *flags]
        assert command.main(mnist_matching.Config, mnist_matching.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
