import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real data sets; tests that use it carry the marker `data`."""
    path = Path(os.environ.get("JAXEMB_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no data sets at {path}; set JAXEMB_DATA")
    return path
