import io
import itertools
import os
import signal
from pathlib import Path

import jax
import pytest
import requests

from jaxemb import memory

jax.config.update("jax_numpy_rank_promotion", "raise")
# Test modules that have ended.
MODULES = itertools.count(1)
# Compilation takes most of the tests' time, so XLA optimizes less, here and in the processes that
# tests start. JAX_DISABLE_MOST_OPTIMIZATIONS=0 tests with all optimizations.
QUICK = os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
jax.config.update("jax_disable_most_optimizations", QUICK == "1")
# A shell starts jobs in the background with Ctrl-C ignored; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory) -> Path:
    """One cache for a test session and the processes it starts.

    JAX_COMPILATION_CACHE_DIR keeps compiled programs from one session to the next.
    """
    home = tmp_path_factory.mktemp("cache")
    if kept := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        (home / "jaxemb").mkdir()
        (home / "jaxemb" / "compiled").symlink_to(kept, target_is_directory=True)
    return home


@pytest.fixture(scope="session", autouse=True)
def compiled_once(cache_home):
    """A program that several tests compile is compiled once: most of their time goes there."""
    jax.config.update("jax_compilation_cache_dir", str(cache_home / "jaxemb" / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


@pytest.fixture(scope="module", autouse=True)
def bounded_memory():
    """Drops compiled programs now and then: those of all tests would take 3 GB a process."""
    yield
    if next(MODULES) % 16 == 0:
        jax.clear_caches()
        memory.give_back()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data sets; tests that use it carry the marker `data`."""
    path = Path(os.environ.get("JAXEMB_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no data sets at {path}; set JAXEMB_DATA")
    return path


@pytest.fixture
def network(tmp_path, monkeypatch) -> dict:
    """What pooch downloads, by URL, or how that fails; no other URL leads anywhere.

    "asked" lists what was asked for. The user's cache is a folder of the test.
    """
    asked: list[str] = []
    there: dict = {"asked": asked}

    def get(url, **options):
        asked.append(url)
        content = there.get(url, requests.exceptions.ConnectionError("a screen of text"))
        if isinstance(content, Exception):
            raise content
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO(content)
        response.headers["content-length"] = str(len(content))
        return response

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return there
