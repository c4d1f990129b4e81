import dataclasses
import io
import json
import shutil

import numpy as np
import pytest
from jaxemb.experiments import similar_images
from jaxemb.experiments.harness import command
from PIL import Image

pytestmark = pytest.mark.usefixtures("private_cache")

TRAIN, TEST = 150, 30


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Stripes in three directions, a class each, of many colors."""
    rng = np.random.default_rng(0)
    down, right = np.meshgrid(np.arange(32), np.arange(32), indexing="ij")
    arrays: dict[str, np.ndarray] = {"classes": np.array(["down", "right", "both"])}
    for part, size in (("train", TRAIN), ("test", TEST)):
        labels = np.arange(size) % 3
        streams = []
        for label in labels:
            place = (down, right, down + right)[label] + rng.uniform(0, 8)
            stripes = np.sin(place / 1.5)[..., None] * rng.uniform(20, 60, size=3)
            picture = np.clip(rng.uniform(60, 190, size=3) + stripes, 0, 255).astype(np.uint8)
            file = io.BytesIO()
            Image.fromarray(picture).save(file, format="jpeg", quality=95)
            streams.append(np.frombuffer(file.getvalue(), np.uint8))
        arrays[f"jpeg_{part}"] = np.concatenate(streams)
        arrays[f"end_{part}"] = np.cumsum([len(stream) for stream in streams])
        arrays[f"y_{part}"] = labels.astype(np.uint8)
    folder = tmp_path_factory.mktemp("data")
    np.savez(folder / "cifar10_jpeg.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def finished(data_dir, tmp_path_factory, private_cache):
    out = tmp_path_factory.mktemp("runs") / "run"
    common = command.Common(data_dir=data_dir, out=out, checkpoint_seconds=0)
    config = dataclasses.replace(similar_images.SMOKE, common=common)
    similar_images.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_both_trainings_are_judged(finished):
    summary = summary_of(finished)
    for name in ("pixels", "descriptors", "classifier", "ranking"):
        for score in ("recall_at_1", "map_at_r", "map", "triplets_ordered", "precision_both"):
            assert 0 <= summary[f"{name}_{score}"] <= 1
    # What triplets are drawn by orders them all.
    assert summary["descriptors_triplets_ordered"] == 1
    for name in ("classifier", "ranking"):
        assert summary[f"{name}_map"] > summary["pixels_map"]
        text = (finished.common.out / name / "metrics.jsonl").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line["step"] for line in lines] == [25, 30]
    assert (finished.common.out / "neighbors.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_run_goes_on_to_the_same_figures(finished, tmp_path):
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, common=common)
    shutil.copytree(finished.common.out, config.common.out)
    (config.common.out / "summary.json").unlink()
    shutil.rmtree(config.common.out / "classifier" / "checkpoints" / "00000030")
    shutil.rmtree(config.common.out / "ranking")
    similar_images.run(config)
    one, other = summary_of(finished), summary_of(config)
    timed = {"classifier_seconds", "ranking_seconds", "peak_memory_mb", "run_minutes"}
    assert {name for name in one if one[name] != other[name]} <= timed


def test_fewer_training_images_leave_the_test_images(data_dir):
    config = similar_images.Config(n=10)
    rows = similar_images.choose(config, TRAIN + TEST)
    np.testing.assert_array_equal(rows, [*range(10), *range(TRAIN, TRAIN + TEST)])


def test_descriptors_have_a_mean_squared_distance_of_one(data_dir):
    config = similar_images.Config()
    train, test = similar_images.split(config, similar_images.cifar10.read(data_dir))
    assert (len(train.labels), len(test.labels)) == (TRAIN, TEST)
    gaps = train.descriptors[:, None] - train.descriptors[None]
    assert np.square(gaps).sum(axis=2).mean() == pytest.approx(1, rel=1e-3)


def test_bad_input_is_named(data_dir, tmp_path, capsys):
    for flags, message in (
        (["--n", "151"], "--n asks for 151 training images, there are 150"),
        (["--identities", "4"], "a batch of 4 identities needs as many, found 3"),
        (["--features", "12"], "--features must be multiples of 8, found (12,)"),
        (["--margin", "-1"], "--margin must be at least 0 and at most 4, found -1.0"),
        (["--out-of-class", "2"], "--out-of-class must be at least 0 and at most 1, found 2.0"),
        (["--data-dir", str(tmp_path)], "cifar10.npz: no such file"),
    ):
        arguments = [
            "--identities",
            "3",
            "--data-dir",
            str(data_dir),
            *flags,
            "--out",
            str(tmp_path / "run"),
        ]
        assert command.main(similar_images.Config, similar_images.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
