import gzip
import json

import numpy as np
import pytest
from jaxemb.experiments.benchmarks import paragraph_vectors as benchmark

from jaxemb.data.sets import multi30k
from jaxemb.methods.paragraph_vectors import Options


@pytest.fixture
def captions(tmp_path):
    """Five captions of each picture, of words that its topic has."""
    rng = np.random.default_rng(0)
    for split, pictures in (("train", 120), ("val", 12), ("test_2016", 12)):
        for file in multi30k.files(tmp_path, split, "en"):
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = [
                " ".join(f"t{i % 12}w{j}" for j in rng.integers(0, 8, 9)) for i in range(pictures)
            ]
            file.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return tmp_path


def test_the_mean_is_over_ordered_pairs_of_sets():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(7, 3, 4)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    found = []
    for a in range(3):
        for b in range(3):
            if a != b:
                cosines = unit[:, a] @ unit[:, b].T
                found += [(cosines[i] >= cosines[i, i]).sum() <= 5 for i in range(7)]
    assert benchmark.scores(vectors)["recall_at_5"] == pytest.approx(np.mean(found))


def test_both_systems_are_measured(captions, tmp_path):
    out = tmp_path / "out"
    options = Options(dim=16, epochs=30, subsample=0, parts=1)
    benchmark.run(benchmark.Config(options=options, data_dir=captions, out=out, threads=1))
    figures = json.loads((out / "summary.json").read_text())
    for system in ("jaxemb", "gensim"):
        assert figures[f"{system}_words_per_second"] > 0
    assert figures["jaxemb_recall_at_5"] > 0.9
    assert "| dbow_words | jaxemb |" in (out / "table.md").read_text()
