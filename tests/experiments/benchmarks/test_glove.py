import lzma

import numpy as np
import pytest

from experiments.benchmarks import glove
from jaxemb.errors import InputError


def test_glove_is_told_in_epochs_of_gensim(tmp_path, monkeypatch):
    # So few words that their map needs no t-SNE.
    drawn = np.random.default_rng(4).zipf(1.5, (250, 12)) % 9
    text = "".join(" ".join(f"w{i}" for i in line) + "\n" for line in drawn)
    with lzma.open(tmp_path / "corpus_simplewiki.txt.xz", "wt", encoding="utf-8") as file:
        file.write(text)
    (tmp_path / "work").mkdir()
    figures, lines = glove.measure(glove.Config(epochs=2, data_dir=tmp_path, out=tmp_path))
    whole = figures["glove_train_seconds"] + figures["glove_count_seconds"]
    ratio = whole / figures["gensim_epoch_seconds"]
    assert figures["glove_times_gensim_epoch_with_counting"] == pytest.approx(ratio)
    assert figures["glove_words"] == 3000
    assert figures["glove_pairs"] > 20
    assert lines[2].startswith("| Gensim skip-gram | 1 |")
    assert f"| {figures['glove_final_loss']:.4f} |" in lines[3]


def test_mistakes():
    with pytest.raises(InputError, match="--epochs must be at least 1"):
        glove.Config(epochs=0)
