import dataclasses
import json
import lzma
import math
import subprocess

import numpy as np
import pytest
from jaxemb.experiments.benchmarks import processes, texts, word2vec, word2vec_child, word2vec_runs

from jaxemb.errors import InputError

WORDS = 3000


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with a corpus of 3,000 words in paragraphs of 12, five to an article."""
    folder = tmp_path_factory.mktemp("data")
    drawn = np.random.default_rng(4).zipf(1.5, WORDS) % 90
    lines = [" ".join(f"w{i}" for i in drawn[at : at + 12]) for at in range(0, WORDS, 12)]
    articles = ["\n".join(lines[at : at + 5]) for at in range(0, len(lines), 5)]
    with lzma.open(folder / "corpus_simplewiki.txt.xz", "wt", encoding="utf-8") as file:
        file.write("\n\n".join(articles) + "\n")
    return folder


@pytest.fixture
def bench(data, cache_home, tmp_path):
    setting = word2vec_runs.Setting(dim=8, data_dir=data, sizes=(), vocabularies=())
    # A cache of encoded text of its own, but programs that other tests have compiled.
    (tmp_path / "work" / "cache" / "jaxemb").mkdir(parents=True)
    compiled = cache_home / "jaxemb" / "compiled"
    (tmp_path / "work" / "cache" / "jaxemb" / "compiled").symlink_to(compiled)
    return word2vec_runs.Bench(setting, tmp_path / "work", words=WORDS)


def test_texts(data, tmp_path):
    source = data / "corpus_simplewiki.txt.xz"
    plain = texts.write_plain(source, tmp_path / "plain.txt").read_text()
    assert "\n\n" not in plain
    prefix = texts.write_prefix(source, tmp_path / "cut" / "text.xz", words=100)
    assert lzma.decompress(prefix.read_bytes()).decode().split() == plain.split()[:100]
    with pytest.raises(InputError, match=r"has 3,000 words, not 3,001"):
        texts.write_prefix(source, tmp_path / "long.xz", words=WORDS + 1)
    assert not (tmp_path / "long.xz").exists()


def test_both_systems_tell_the_same_figures(bench):
    peer = word2vec_runs.train_gensim(bench, "skipgram", 1, wide=True)
    assert word2vec_runs.encode(bench, "simplewiki", bench.setting.data_dir)["words"] == WORDS
    ours = word2vec_runs.train_jaxemb(bench, "skipgram", 1)
    assert peer.keys() <= ours.keys()
    assert (peer["words"], peer["vocabulary"]) == (ours["words"], ours["vocabulary"])
    assert peer["words"] == WORDS
    assert all(found[key] > 0 for found in (peer, ours) for key in peer)
    assert word2vec.speed_row("jaxemb skipgram 1", ours)[:2] == ["jaxemb skipgram", "1"]


def test_glove_is_told_in_epochs_of_gensim(bench):
    figures, lines = word2vec.glove(bench)
    whole = figures["glove_seconds"] + figures["glove_count_seconds"]
    ratio = whole / figures["glove_gensim_seconds"]
    assert figures["glove_times_gensim_epoch"] == pytest.approx(ratio)
    assert figures["glove_words"] == WORDS
    assert figures["glove_pairs"] > 90
    assert f"| {figures['glove_final_loss']:.4f} |" in lines[3]


def test_the_start_ends_with_the_first_step(bench):
    word2vec_runs.encode(bench, "simplewiki", bench.setting.data_dir)
    for first in (True, False):
        found = word2vec_runs.start(bench, first=first)
        assert 0 < found["ready_seconds"] < found["seconds"]


def test_encoding_as_a_program(data, tmp_path):
    out = tmp_path / "out"
    flags = ["--parts", "encoding", "--short-repeats", "1", "--threads", "1"]
    places = ["--data-dir", str(data), "--out", str(out)]
    command = processes.python("experiments.benchmarks.word2vec", *flags, *places)
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    summary = json.loads((out / "summary.json").read_text())
    ratio = summary["encode_seconds"] / summary["gensim_build_vocab_seconds"]
    assert summary["encode_ratio"] == pytest.approx(ratio)
    table = (out / "table.md").read_text()
    assert "commit" in table
    assert "| jaxemb encode |" in table
    assert f"wrote {out / 'table.md'}" in ran.stdout


@pytest.mark.parametrize(("reached", "ratio"), [(3, 40 / 6), (9, None), (math.nan, None)])
def test_quality_counts_the_fewest_epochs_that_reach_all_scores(bench, monkeypatch, reached, ratio):
    base = {"words_per_second": 1.0, "peak_mb": 1.0}
    goal = base | dict.fromkeys(word2vec.SCORES, 0.5) | {"seconds": 40.0}
    tried = []

    def train(bench, model, epochs):
        tried.append(epochs)
        men = 0.5 if epochs >= reached else 0.4 if reached == reached else math.nan
        return goal | {"seconds": 2.0 * epochs, "men": men}

    monkeypatch.setattr(word2vec, "train_jaxemb", train)
    monkeypatch.setattr(word2vec, "train_gensim", lambda *_: goal)
    bench.setting = dataclasses.replace(bench.setting, quality_epochs=(4, 2, 3))
    outcome = word2vec.quality(bench)
    assert tried == [2, 3, 4][: 2 if ratio else 3]
    assert outcome.figures["time_to_quality_speedup"] == pytest.approx(ratio)
    reason = "still below Gensim in MEN"
    assert (reason in "\n".join(outcome.lines)) == (ratio is None)


def test_gensim_is_scored_where_word_sets_lie(bench, tmp_path):
    text = texts.write_plain(
        bench.setting.data_dir / "corpus_simplewiki.txt.xz", tmp_path / "plain.txt"
    )
    sets = tmp_path / "wordsim"
    sets.mkdir()
    rows = [f"{i},w{i},w{i + 1},{i % 7}" for i in range(1, 20)]
    (sets / "sim_men.csv").write_text("\n".join([",word1,word2,similarity", *rows]) + "\n")
    options = word2vec_runs.gensim_options(bench.setting, "cbow")
    for corpus_file in (False, True):
        found = word2vec_child.train_gensim(
            str(text), data_dir=str(tmp_path), epochs=2, corpus_file=corpus_file, **options
        )
        assert found["words"] == WORDS
        assert -1 <= found["men"] <= 1


def test_mistakes():
    with pytest.raises(InputError, match="sizes must be positive"):
        word2vec_runs.Setting(sizes=(1, 0))
    with pytest.raises(InputError, match="threads must be at least 1"):
        word2vec_runs.Setting(threads=0)
