import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import compare_pairs as experiment
from jaxemb.experiments.harness import command

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """What belongs together has the words of one topic; of these word2vec knows nothing."""
    rng = np.random.default_rng(0)

    def saying(topic: int) -> str:
        return " ".join(f"t{topic}w{word}" for word in rng.integers(4, size=3))

    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    lines = {f"{saying(number % 12)}\t{saying(number % 12)}" for number in range(300)}
    path.write_text("\n".join(sorted(lines)) + "\n")
    return path


@pytest.fixture(scope="module")
def finished(pairs, tmp_path_factory, private_cache):
    common = command.Common(out=tmp_path_factory.mktemp("runs") / "run")
    config = dataclasses.replace(experiment.SMOKE, pairs=pairs, common=common)
    experiment.run(config)
    return config


def test_every_way_has_its_mean_and_interval(finished):
    out = finished.common.out
    summary = json.loads((out / "summary.json").read_text())
    names = list(experiment.ways(finished.options))
    assert len(names) == 4 + 4 + 4
    for name in names:
        seeds = [
            json.loads((out / "scores" / f"{name}-{seed}.json").read_text()) for seed in (0, 1)
        ]
        values = [one["recall_at_5"] for one in seeds]
        assert summary[f"{name}_recall_at_5"] == pytest.approx(np.mean(values))
        # Student's t with one degree of freedom.
        half = 12.706 * np.std(values, ddof=1) / np.sqrt(2)
        assert summary[f"{name}_recall_at_5_interval"] == pytest.approx(half, rel=1e-3, abs=1e-9)
    assert len((out / "table.md").read_text().splitlines()) == len(names) + 2


def test_what_is_trained_finds_more(finished):
    summary = json.loads((finished.common.out / "summary.json").read_text())
    assert summary["usual_recall_at_5"] > summary["frozen_recall_at_5"]
    assert summary["mapped_recall_at_5"] > summary["frozen_recall_at_5"]


def test_what_was_made_is_not_made_again(finished, monkeypatch):
    out = finished.common.out
    table = (out / "table.md").read_text()
    (out / "table.md").unlink()
    (out / "summary.json").unlink()
    monkeypatch.setattr(experiment, "train", None)
    monkeypatch.setattr(experiment, "train_map", None)
    monkeypatch.setattr(experiment, "words_of", None)
    experiment.run(finished)
    assert (out / "table.md").read_text() == table


def test_what_cannot_be_compared(pairs, tmp_path, capsys):
    flags = ["--pairs", str(pairs), "--seeds", "1", "--out", str(tmp_path / "run")]
    assert command.main(experiment.Config, experiment.run, flags) == 2
    assert "--seeds must be at least 2" in capsys.readouterr().err
    flags = ["--pairs", str(pairs), "--no-shared", "--out", str(tmp_path / "run")]
    assert command.main(experiment.Config, experiment.run, flags) == 2
    assert "--shared must be true" in capsys.readouterr().err
