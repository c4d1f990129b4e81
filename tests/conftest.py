import os
import re
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
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


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data sets; tests that use it carry the marker `data`."""
    path = Path(os.environ.get("JAXEMB_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no data sets at {path}; set JAXEMB_DATA")
    return path


@pytest.fixture(scope="session")
def run_example() -> Callable[[ModuleType], dict[str, Any]]:
    """Runs the section `Example:` of a module's docstring; returns what it defines."""

    def run(module: ModuleType) -> dict[str, Any]:
        block = re.search(r"^Example:\n+(.*?)(?=^\S|\Z)", module.__doc__ or "", re.M | re.S)
        assert block, f"{module.__name__} has no example"
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(textwrap.dedent(block[1]), f"{module.__name__}'s example", "exec"), names)
        return names

    return run
