import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import contrastive_images, zero_shot
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.spaces import unlabeled, unseen

from jaxemb import io

pytestmark = pytest.mark.usefixtures("private_cache")
DIGITS = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def runs(private_cache, tmp_path_factory):
    """Digits embedded without labels, and words: likeness of means, as if texts told it."""
    folder = tmp_path_factory.mktemp("runs")
    config = dataclasses.replace(
        contrastive_images.SMOKE, compare=False, common=command.Common(out=folder / "embedded")
    )
    contrastive_images.run(config)
    vectors = np.load(folder / "embedded" / "vectors.npy")
    given = contrastive_images.own_pictures.load_pictures(
        config.pictures, data_dir=config.common.data_dir, seed=0
    )
    means = np.stack([vectors[given.labels == digit].mean(axis=0) for digit in range(10)])
    io.write(folder / "words.txt", DIGITS, (means - means.mean(axis=0)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def finished(runs):
    config = zero_shot.Config(
        vectors=runs / "words.txt",
        embedded=runs / "embedded",
        pictures=contrastive_images.SMOKE.pictures,
        common=command.Common(out=runs / "zero"),
        **zero_shot.SMOKE,
    )
    zero_shot.run(config)
    return config


def test_unseen_classes_are_told_by_their_names(finished):
    figures = json.loads((finished.common.out / "summary.json").read_text())
    assert figures["pairs"] == 45
    assert figures["mean"] > 0.75
    assert figures["novelty"] > 0.55
    assert 0 <= figures["0_1_own"] <= 1
    rows = (finished.common.out / "pairs.csv").read_text().splitlines()
    assert rows[0] == "first,second,accuracy,novelty"
    assert len(rows) == 46
    table = (finished.common.out / "table.md").read_text().splitlines()
    assert table[2].startswith("| 0 and 1 | ")
    assert (finished.common.out / "novelty.png").read_bytes().startswith(b"\x89PNG")


def test_more_called_unseen_more_unseen_and_fewer_seen_are_right():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    words = np.eye(4, dtype=np.float32)
    mapped = words[labels] + 0.05 * rng.normal(size=(400, 4)).astype(np.float32)
    # Known pictures of the seen classes are alike, and new ones of these like them.
    vectors = np.where(np.isin(labels, (0, 3))[:, None], [1.0, 0.0], [0.0, 1.0])
    vectors = vectors + 0.05 * rng.normal(size=(400, 2))
    given = contrastive_images.Points(np.empty((400, 0)), labels, tuple("abcd"))
    parts = unlabeled.Parts(np.arange(200), np.arange(200, 400))
    told = unseen.tell(mapped, vectors, words, given, parts, (1, 2))
    assert told.accuracy == 1
    assert told.novelty == 1
    share, of_seen, of_unseen = told.curve.T
    np.testing.assert_allclose(of_unseen, np.minimum(2 * share, 1), atol=0.011)
    np.testing.assert_allclose(of_seen, np.minimum(2 * (1 - share), 1), atol=0.011)


def ask(runs, tmp_path, capsys, **flags):
    given = {
        "vectors": runs / "words.txt",
        "embedded": runs / "embedded",
        "data": "digits",
        "image-side": 16,
        "n": 400,
        "own": "0-1",
        "out": tmp_path / "run",
    } | flags
    words = [str(word) for name, value in given.items() for word in (f"--{name}", value)]
    assert command.main(zero_shot.Config, zero_shot.run, words) == 2
    return capsys.readouterr().err


def test_bad_input_is_one_line(runs, tmp_path, capsys):
    err = ask(runs, tmp_path, capsys, own="0-10")
    assert "'0-10' is no pair of classes such as 0-1" in err
    err = ask(runs, tmp_path, capsys, n=399)
    assert "has vectors of 400 pictures that are not those of digits, 399" in err
    # As many others, drawn by another seed.
    err = ask(runs, tmp_path, capsys, seed=1)
    assert "n and seed must be those of that run" in err
    err = ask(runs, tmp_path, capsys, embedded=tmp_path)
    assert "expected a finished run, which `python -m experiments.contrastive_images" in err
    io.write(tmp_path / "few.txt", DIGITS[:8], np.eye(8, dtype=np.float32))
    err = ask(runs, tmp_path, capsys, vectors=tmp_path / "few.txt")
    assert "has no vector of the classes 8, 9" in err
