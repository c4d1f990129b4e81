import numpy as np
import pytest
from PIL import Image

from jaxemb.errors import InputError
from jaxemb.plots.film import write_film


def test_a_film_has_a_picture_for_each_moment(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 3
    maps = [scale * rng.normal(size=(40, 2)) for scale in (1e-4, 1.0, 30.0)]
    write_film(tmp_path / "film.gif", [10, 20, 30], maps, labels=labels, title="points")
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    with Image.open(tmp_path / "film.gif") as film:
        frames = []
        lasts = 0
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB"), int))
            lasts += film.info["duration"]
    # Equal pictures in a row may be kept as one that lasts longer.
    assert len(frames) >= 3
    assert all((one != two).any() for one, two in zip(frames[:2], frames[1:3], strict=True))
    assert abs(lasts - 1000 * (3 + 12) / 12) < 160


def test_mistakes(tmp_path):
    with pytest.raises(InputError, match=r"must be named \*.gif or \*.mp4"):
        write_film(tmp_path / "film.avi", [1], [np.zeros((4, 2))])
    with pytest.raises(InputError, match="needs a picture"):
        write_film(tmp_path / "film.gif", [], [])
    with pytest.raises(InputError, match="not finite"):
        write_film(tmp_path / "film.gif", [1], [np.full((4, 2), np.nan)])
    assert not list(tmp_path.iterdir())
