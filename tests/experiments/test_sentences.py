import dataclasses
import gzip
import itertools
import json

import numpy as np
import pytest
from jaxemb.experiments import sentences as experiment
from jaxemb.experiments.harness import command
from model2vec import StaticModel

from jaxemb import io
from jaxemb.commands import predict
from jaxemb.methods import sentences

pytestmark = pytest.mark.usefixtures("private_cache")

PICTURES = {"train": 240, "val": 12, "test_2016": 12}


def saying(rng, topic: int, language: str) -> str:
    return " ".join(f"{language}{topic}w{word}" for word in rng.integers(4, size=3))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """What is said of a picture has the words of its topic, in whatever language."""
    folder = tmp_path_factory.mktemp("data") / "multi30k"
    (folder / "task2").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, pictures in PICTURES.items():
        files = {f"task2/{split}.{person}.en": "en" for person in range(1, 6)}
        other = "test_2016_flickr" if split == "test_2016" else split
        files |= {f"{other}.{language}": language for language in ("en", "fr")}
        for name, language in files.items():
            text = "\n".join(saying(rng, picture % 12, language) for picture in range(pictures))
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return folder.parent


def run(data_dir, out, **fields):
    common = command.Common(data_dir=data_dir, out=out)
    experiment.run(dataclasses.replace(experiment.SMOKE, common=common, **fields))
    return json.loads((out / "summary.json").read_text())


def test_captions_of_the_same_picture_are_found(data_dir, tmp_path, capsys):
    summary = run(data_dir, tmp_path / "run")
    assert summary["pairs"] == 2400
    assert summary["recall_at_1"] > 0.9
    assert summary["average_recall_at_1"] <= summary["average_recall_at_5"] <= 1
    assert summary["sif_recall_at_10"] > 0.5
    printed = capsys.readouterr().out
    assert "   trained 1.000" in printed or "   trained 0.9" in printed
    for name in ("map.html", "map.png", "metrics.jsonl"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    # The model stays, in Python and on the command line.
    fitted = io.load(tmp_path / "run" / "model")
    texts = ["en3w1 en3w2", "en4w0"]
    (tmp_path / "new.txt").write_text("\n".join(texts) + "\n")
    out = tmp_path / "new.npy"
    predict.run(predict.Config(tmp_path / "run" / "model", str(tmp_path / "new.txt"), out=out))
    np.testing.assert_array_equal(np.load(out), sentences.encode(fitted.model, texts))


def test_model2vec_gives_the_same_vectors(data_dir, tmp_path):
    run(data_dir, tmp_path / "run", task="translations", language="fr")
    fitted = io.load(tmp_path / "run" / "model")
    for side, text in (("first", "En3w1, en3w2!"), ("second", "fr5w2 fr5w0 fr5w2")):
        model = StaticModel.from_pretrained(tmp_path / "run" / f"static_{side}")
        expected = sentences.encode(fitted.model, [text], side=side)
        np.testing.assert_allclose(model.encode([text]), expected, atol=1e-6)


def test_translations_are_found(data_dir, tmp_path, capsys):
    summary = run(data_dir, tmp_path / "run", task="translations", language="fr")
    assert summary["pairs"] == 240
    assert summary["recall_at_1"] > 0.9
    assert "sif" not in capsys.readouterr().out


def test_pairs_of_ones_own(data_dir, tmp_path, capsys):
    rng = np.random.default_rng(1)
    lines = [
        f"{saying(rng, topic, 'en')}\t{saying(rng, topic, 'fr')}\tsource {i}"
        for i, topic in enumerate(rng.integers(12, size=200))
    ]
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    summary = run(data_dir, tmp_path / "run", pairs=path)
    assert summary["pairs"] <= 180
    assert summary["recall_at_10"] > 0.9
    assert "searched among" in capsys.readouterr().out


def test_no_held_out_sentence_is_learned(tmp_path):
    texts = [f"s{i}" for i in range(30)]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(f"{a}\t{b}" for a, b in itertools.product(texts[:6], texts[6:])))
    task = experiment.own(path, False, 0)
    for side in (0, 1):
        assert not {pair[side] for pair in task.pairs} & set(task.tests[side])
        assert len(set(task.tests[side])) == len(task.tests[side])


def test_bad_input_is_named(data_dir, tmp_path, capsys):
    few = tmp_path / "few.tsv"
    few.write_text("a\tb\n" * 3)
    repeated = tmp_path / "repeated.tsv"
    repeated.write_text("a\tb\nc\td\n" * 20)
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("a b c\n")
    for flags, message in (
        (["--pairs", str(few)], "few.tsv: needs 20 pairs, to hold out two, found 3"),
        (["--pairs", str(repeated)], "that are held out; are few sentences repeated in these 40"),
        (["--pairs", str(wrong)], "line 1: expected a word and its translation"),
        (["--task", "translations", "--language", "cs"], "cs.gz: no such file"),
        (["--batch", "2401"], "--batch must be at most the 2400 pairs, found 2401"),
        (["--temperature", "0"], "--temperature must be more than 0"),
    ):
        arguments = [*flags, "--data-dir", str(data_dir), "--out", str(tmp_path / "run")]
        assert command.main(experiment.Config, experiment.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
