import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jaxemb.experiments.harness.matching import pictures as matching_pictures

TOPICS, TOPIC_WORDS = 6, 12


@pytest.fixture(scope="module")
def private_cache(cache_home):
    """Keeps runs, here and in processes started from here, off the user's cache and data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_home))
        patch.setenv("JAXEMB_DATA", str(cache_home / "no data"))
        yield


@pytest.fixture(scope="module", autouse=True)
def _small_pictures():
    """A hundred images in a picture take longer to draw than a small run to train."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching_pictures, "HARDEST", 3)
        patch.setattr(matching_pictures, "NEIGHBORS", 3)
        yield


@pytest.fixture(scope="module", autouse=True)
def _programs_stay():
    """A run of words drops its programs before it draws; here, the next run wants them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "clear_caches", lambda: None)
        yield


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Path:
    """A corpus of 60,000 words in which those of a topic share their contexts."""
    rng = np.random.default_rng(5)
    words = np.array([[f"t{t}w{i}" for i in range(TOPIC_WORDS)] for t in range(TOPICS)])
    topics = rng.integers(TOPICS, size=(6000, 1))
    # Not too steep: a word of a few percent of all, not subsampled, makes plain SGD diverge.
    share = np.linspace(2, 1, TOPIC_WORDS)
    chosen = rng.choice(TOPIC_WORDS, (6000, 10), p=share / share.sum())
    path = tmp_path_factory.mktemp("corpus") / "planted.txt"
    path.write_text("".join(" ".join(line) + "\n" for line in words[topics, chosen]))
    return path


@pytest.fixture(scope="session")
def start():
    """Starts Python with these arguments in a process of its own."""

    def run(*arguments: object, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "default"},
            **options,
        )

    return run
