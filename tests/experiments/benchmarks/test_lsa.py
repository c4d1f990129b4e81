import numpy as np
import pytest
from jaxemb.experiments.benchmarks import lsa, lsa_child

from jaxemb.errors import InputError


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A corpus of 6,000 words, measured in this process."""
    drawn = np.random.default_rng(4).zipf(1.3, (300, 20)) % 90
    text = tmp_path / "text.txt"
    text.write_text("".join(" ".join(f"w{z}" for z in line) + "\n" for line in drawn))
    (tmp_path / "work").mkdir()

    def in_process(config, task, **arguments):
        shared = {"corpus": str(text), "data_dir": str(tmp_path), "work": str(tmp_path / "work")}
        return lsa_child.TASKS[task](**shared, **arguments)

    monkeypatch.setattr(lsa, "child", in_process)
    return lsa.Config(repeats=1, rank=5, memory_limits=(100, 20), out=tmp_path)


def test_counting_is_told_in_times_of_unique(config):
    figures, lines = lsa.counting(config)
    for limit in (100, 20):
        ratio = figures[f"count_{limit}_mb_seconds"] / figures["unique_seconds"]
        assert figures[f"count_{limit}_mb_times_unique"] == pytest.approx(ratio)
    assert figures["count_100_mb_pairs"] == figures["count_20_mb_pairs"] > 90
    assert "over 6,000 words" in lines[-1]


def test_all_systems_find_the_same_singular_values(config):
    figures, lines = lsa.svd(config)
    assert figures["jaxemb_svd_error"] < 1e-5
    assert figures["sklearn_svd_error"] < 1e-2
    ratio = figures["sklearn_svd_seconds"] / figures["jaxemb_svd_seconds"]
    assert figures["svd_speedup_over_sklearn"] == pytest.approx(ratio)
    assert f"{figures['jaxemb_svd_entries']:,.0f} entries" in lines[-1]


def test_mistakes():
    with pytest.raises(InputError, match="rank must be at least 1"):
        lsa.Config(rank=0)
