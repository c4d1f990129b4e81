import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

TOPICS, TOPIC_WORDS = 6, 12


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory) -> Path:
    """One cache for all runs of a test session: a program compiled once is found by all."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def private_cache(cache_home):
    """Keeps runs, here and in processes started from here, off the user's cache and data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_home))
        patch.setenv("JAXEMB_DATA", str(cache_home / "no data"))
        before = jax.config.jax_compilation_cache_dir
        compilation_cache.reset_cache()
        yield
        jax.config.update("jax_compilation_cache_dir", before)
        compilation_cache.reset_cache()


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
