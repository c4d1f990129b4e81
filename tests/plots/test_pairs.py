import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from jaxemb.plots import pairs
from jaxemb.plots.style import COLORS

RIGHT, WRONG = COLORS[0], COLORS[2]


def _share(path, color) -> float:
    """How much of a picture has a color."""
    picture = matplotlib.image.imread(path)[..., :3]
    return float((np.abs(picture - to_rgb(color)) < 0.01).all(axis=-1).mean())


@pytest.mark.parametrize(
    ("distances", "same", "right", "wrong"),
    [
        ([0.1, 0.9, 0.5], [True, False, True], True, False),  # as far as the threshold: the same
        ([0.1, 0.9, 0.5], [False, True, False], False, True),
        ([0.1, 0.9, 0.5], [False, False, True], True, True),
    ],
)
def test_what_the_threshold_says_of_pairs_is_marked(tmp_path, distances, same, right, wrong):
    images = np.random.default_rng(0).integers(256, size=(3, 12, 9), dtype=np.uint8)
    path = tmp_path / "pairs.png"
    pairs.write_pairs(
        path,
        images,
        images[::-1],
        np.array(distances),
        np.array(same),
        threshold=0.5,
        columns=2,
        title="$x",
    )
    assert (_share(path, RIGHT) > 0) == right
    assert (_share(path, WRONG) > 0) == wrong
    assert [entry.name for entry in tmp_path.iterdir()] == ["pairs.png"]


def test_neighbors_are_marked_and_the_query_is_not(tmp_path):
    rng = np.random.default_rng(1)
    queries = rng.integers(256, size=(2, 8, 8, 3), dtype=np.uint8)
    near = rng.integers(256, size=(2, 3, 8, 8, 3), dtype=np.uint8)
    distances = np.sort(rng.random((2, 3)), axis=1)
    shares = []
    for right in ([[True] * 3, [False] * 3], [[True, False, False], [False] * 3]):
        path = tmp_path / f"{len(shares)}.png"
        pairs.write_neighbor_rows(
            path, queries, near, distances, np.array(right), names=["$a", "b"], title="$x"
        )
        shares.append((_share(path, RIGHT), _share(path, WRONG)))
    # Three frames are blue, then one.
    assert shares[0][0] == pytest.approx(3 * shares[1][0], rel=0.2)
    assert shares[0][1] == pytest.approx(shares[1][1] * 3 / 5, rel=0.2)


def test_shapes_must_agree(tmp_path):
    images = np.zeros((3, 4, 4), np.uint8)
    with pytest.raises(AssertionError):
        pairs.write_pairs(
            tmp_path / "a.png", images, images, np.ones(2), np.ones(3, bool), threshold=1.0
        )
    with pytest.raises(AssertionError):
        pairs.write_neighbor_rows(
            tmp_path / "a.png", images, images[:, None], np.ones((3, 1)), np.ones((3, 2), bool)
        )
    assert not list(tmp_path.iterdir())
