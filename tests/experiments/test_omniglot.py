import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import omniglot
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.matching import training as harness

from jaxemb.data.sets.omniglot import read as read_omniglot

pytestmark = pytest.mark.usefixtures("private_cache")

RNG = np.random.default_rng(1)
DRAWERS = 10


def drawn(rng, strokes):
    """A character of strokes [M, 2 ends, 2], as one drawer's hand has it: [105, 105] of 0 and 1."""
    ends = strokes * rng.uniform(0.5, 0.9) + rng.normal(0, 2, strokes.shape) + rng.uniform(5, 30)
    along = np.linspace(0, 1, 200)[:, None]
    ink = np.zeros((105, 105), np.uint8)
    for first, last in ends:
        rows, columns = np.clip((first + along * (last - first)).T.astype(int), 1, 103)
        for down in (-1, 0, 1):
            ink[rows + down, columns] = ink[rows, columns + down] = 1
    return ink


def packed(pictures):
    return np.packbits(np.array(pictures).reshape(*np.shape(pictures)[:-2], -1), axis=-1)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Five Greek characters and twenty Korean ones, and two runs of three others."""
    rng = np.random.default_rng(0)
    characters = rng.uniform(0, 100, size=(25 + 6, 3, 2, 2))
    numbers = np.repeat(np.arange(25), DRAWERS)
    runs = [
        [[drawn(rng, characters[25 + 3 * run + i]) for i in range(3)] for run in range(2)]
        for _ in range(2)
    ]
    answers = np.array([[2, 0, 1], [0, 2, 1]], np.int8)
    folder = tmp_path_factory.mktemp("data")
    np.savez(
        folder / "omniglot.npz",
        images_packed=packed([drawn(rng, characters[i]) for i in numbers]),
        character=numbers,
        alphabet=(numbers >= 5).astype(np.uint8),
        alphabet_names=np.array(["Greek", "Korean"]),
        drawer=np.tile(np.arange(DRAWERS), 25),
        small_set=np.ones(len(numbers), np.uint8),
        oneshot_train_packed=packed(runs[0]),
        oneshot_test_packed=packed(
            [[run[i] for i in order] for run, order in zip(runs[1], answers, strict=True)]
        ),
        oneshot_answer=answers,
    )
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory, private_cache, data_dir):
    out = tmp_path_factory.mktemp("runs") / "run"
    common = command.Common(data_dir=data_dir, out=out, checkpoint_seconds=0)
    config = dataclasses.replace(omniglot.SMOKE, common=common)
    omniglot.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_a_run_leaves_its_results(finished):
    assert {path.name for path in finished.common.out.iterdir()} == {
        "checkpoints",
        "config.json",
        "hardest.png",
        "images.png",
        "map.html",
        "map.parquet",
        "metrics.jsonl",
        "neighbors.png",
        "summary.json",
    }
    summary = summary_of(finished)
    assert summary["characters"] == 25
    for name in ("", "pixels_", "framed_pixels_"):
        mistakes = 6 * summary[f"{name}official_3way_error"]
        assert mistakes == pytest.approx(round(mistakes))
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [25, 40]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_an_interrupted_run_goes_on_to_the_same_bits(finished, tmp_path):
    data = read_omniglot(finished.common.data_dir)
    images = omniglot.frame(finished, data.images)
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, common=common)
    (config.common.out / "checkpoints").mkdir(parents=True)
    half = finished.common.out / "checkpoints" / "00000025"
    half.rename(config.common.out / "checkpoints" / half.name)
    (config.common.out / "metrics.jsonl").write_text(
        (finished.common.out / "metrics.jsonl").read_text()
    )
    embed = omniglot.train(config, images, data.characters)
    whole = omniglot.train(finished, images, data.characters)
    vectors = embed(images[:12])
    np.testing.assert_array_equal(vectors, whole(images[:12]))
    again = (config.common.out / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in again] == [25, 40]
    # The views are the same for all pictures.
    np.testing.assert_allclose(embed(images[2:4]), vectors[2:4], atol=1e-5)


def test_alphabets_held_out_are_judged_by_episodes(data_dir, tmp_path, monkeypatch, capsys):
    learnt = []

    def train(config, images, characters):
        learnt.extend(np.unique(characters))
        return lambda images: harness.flat(images) + RNG.normal(0, 0.01, (len(images), 28 * 28))

    monkeypatch.setattr(omniglot, "train", train)
    monkeypatch.setattr(harness, "draw_map", lambda *args, **options: None)
    common = command.Common(data_dir=data_dir, out=tmp_path / "run")
    held_out = {"held_out": ("Korean",), "extent": 0.0}
    config = dataclasses.replace(omniglot.SMOKE, common=common, **held_out)
    omniglot.run(config)
    assert learnt == list(range(5))
    summary = summary_of(config)
    assert summary["characters"] == 5
    errors = [summary[f"held_out_20way_{shots}shot_error"] for shots in (1, 5)]
    assert 0 <= errors[1] < errors[0] < 0.95
    # Framed is as drawn here, and the noise is little.
    for name in ("pixels_", "framed_pixels_"):
        same = summary[f"{name}held_out_20way_5shot_error"]
        assert same == pytest.approx(errors[1], abs=0.05)
    assert 0 < summary["held_out_20way_1shot_interval"] < 0.1
    assert not [name for name in summary if "official" in name]
    assert (config.common.out / "neighbors.png").exists()
    assert "all held out, 5 of each, embedding: error" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--held-out", "Klingon"], "--held-out Klingon is none of Greek, Korean"),
        (["--held-out", "Greek"], "--held-out Greek: fewer than 20 characters"),
        (["--small-set", "2", "--identities", "50"], "--identities 50 are more than the 5 char"),
        (["--features", "12"], "--features must be multiples of 8, found (12,)"),
        (["--features", *["8"] * 5], "--features: 5 blocks leave nothing of 28 pixels"),
        (["--extent", "1"], "--extent must be at least 2"),
        (["--temperature", "nan"], "--temperature must be"),
        (["--shear", "-1"], "--shear must be at least 0"),
        (["--samples", "1"], "--samples must be at least 2, found 1"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_folder(flags, message, data_dir, tmp_path, capsys):
    asked = [*flags, "--data-dir", str(data_dir), "--out", str(tmp_path / "run")]
    assert command.main(omniglot.Config, omniglot.run, asked) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "run").exists()
