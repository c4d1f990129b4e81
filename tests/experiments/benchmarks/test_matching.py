import importlib.util

import numpy as np
import pytest
from jaxemb.experiments.benchmarks import matching, matching_child

from jaxemb.errors import InputError

SMALL = {"features": (8,), "dim": 4, "samples": 2, "seed": 0}


def test_training_and_mining_are_timed():
    found = matching_child.jaxemb_mining(identities=3, **SMALL)
    assert 0 < found["mining_ms"] < found["step_ms"]


def test_losses_are_told_with_their_gradients(tmp_path):
    files = [tmp_path / "one.npy", tmp_path / "other.npy"]
    one, other = (
        matching_child.jaxemb_losses(identities=5, **SMALL | {"seed": seed}, out=str(file))
        for seed, file in enumerate(files)
    )
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] > 0 for name in one)
    gradients = [np.load(file) for file in files]
    assert gradients[0].shape == (len(one), 10, 4)
    errors = matching_child.compare(files=files, **SMALL)
    np.testing.assert_allclose(
        errors[1],
        np.sqrt(((gradients[1][1] - gradients[0][1]) ** 2).sum() / (gradients[0][1] ** 2).sum()),
        rtol=1e-5,
    )
    assert matching_child.compare(files=files[:1] * 2) == [0] * len(one)


def test_mistakes(monkeypatch, tmp_path):
    for flags, message in (
        ({"features": (12,)}, "features must be one to four multiples of 8"),
        ({"mined": 1023}, "mined must be a multiple of the 4 samples"),
        ({"identities": 513}, "identities must be at most 512"),
        ({"steps": 3}, "steps must be at least 20"),
    ):
        with pytest.raises(InputError, match=message):
            matching.Config(**flags)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"torch is not installed: pip install 'jaxemb\[bench\]'"):
        matching.run(matching.Config(out=tmp_path))
