import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from jaxemb.evaluation import projection

N, K = 90, 7


def spaces(seed=0, size=N):
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(size, 6)) * [4, 3, 1, 1, 1, 1]).astype(np.float32)
    # Neither a faithful map nor noise, and far from the origin.
    embedding = points[:, :2] + rng.normal(size=(size, 2)).astype(np.float32) + 300
    return points, embedding


def ranks(points):
    """[N, N] float64 ranks of all by distance from each, its own 0, by plain loops."""
    found = np.zeros((len(points), len(points)), int)
    for i, point in enumerate(points.astype(float)):
        distance = [float(((point - other) ** 2).sum()) for other in points.astype(float)]
        for j in range(len(points)):
            nearer = [m for m in range(len(points)) if m != i and distance[m] < distance[j]]
            found[i, j] = 0 if j == i else 1 + len(nearer)
    return found


def loops(points, embedding, k, rows):
    """Trustworthiness, continuity and share of neighbors kept, as in Venna & Kaski."""
    size = len(points)
    in_points, in_map = ranks(points), ranks(embedding)
    intruders = torn = kept = 0
    for i in rows:
        for j in range(size):
            near, shown = 1 <= in_points[i, j] <= k, 1 <= in_map[i, j] <= k
            intruders += in_points[i, j] - k if shown and not near else 0
            torn += in_map[i, j] - k if near and not shown else 0
            kept += near and shown
    scale = 2 / (len(rows) * k * (2 * size - 3 * k - 1))
    return 1 - scale * intruders, 1 - scale * torn, kept / (len(rows) * k)


def test_scores_are_the_loops():
    points, embedding = spaces()
    found = projection.neighbor_scores(points, embedding, k=K)
    np.testing.assert_allclose(found, loops(points, embedding, K, range(N)), rtol=1e-12)
    assert 0.2 < found.preservation < 0.8


def test_trustworthiness_and_continuity_agree_with_scikit_learn():
    points, embedding = spaces(1)
    found = projection.neighbor_scores(points, embedding, k=K)
    expected = trustworthiness(points, embedding, n_neighbors=K)
    assert found.trustworthiness == pytest.approx(expected, abs=1e-12)
    # Continuity is the trustworthiness of the points as a picture of the map.
    expected = trustworthiness(embedding, points, n_neighbors=K)
    assert found.continuity == pytest.approx(expected, abs=1e-12)


def test_a_sample_counts_ranks_among_all(monkeypatch):
    points, embedding = spaces(2)
    rows = np.sort(np.random.default_rng(5).choice(N, 20, replace=False))
    expected = loops(points, embedding, K, rows)
    # In several blocks, of rows and of columns.
    monkeypatch.setattr(projection, "_DISTANCES_AT_A_TIME", 8 * N)
    found = projection.neighbor_scores(points, embedding, k=K, rows=20, seed=5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_perfect_map_and_a_random_one():
    points, _ = spaces(3, 400)
    assert projection.neighbor_scores(points, 3 * points[:, ::-1] - 9) == (1, 1, 1)
    noise = np.random.default_rng(0).normal(size=(400, 2))
    found = projection.neighbor_scores(points, noise)
    # Of a random map: half of the largest penalty, and one neighbor in forty by chance.
    np.testing.assert_allclose(found, [0.5, 0.5, 10 / 399], atol=0.03)


def test_knn_accuracy_agrees_with_scikit_learn():
    _, embedding = spaces(4)
    labels = np.random.default_rng(1).integers(4, size=N) + 3 * (embedding[:, 0] > 300)
    expected = 0
    for i in range(N):
        others = np.arange(N) != i
        classifier = KNeighborsClassifier(5).fit(embedding[others], labels[others])
        expected += classifier.predict(embedding[i : i + 1])[0] == labels[i]
    assert projection.knn_accuracy(embedding, labels, k=5) == pytest.approx(expected / N)
    names = [f"class {label}" for label in labels]
    assert projection.knn_accuracy(embedding, names, k=5) == pytest.approx(expected / N)


def test_given_distances_are_judged_as_their_points():
    points, embedding = spaces(5)
    distances = np.linalg.norm(points[:, None].astype(float) - points[None], axis=2)
    asked = {"metric": "precomputed"}
    found = projection.neighbor_scores(distances, embedding, k=5, **asked)
    np.testing.assert_allclose(found, projection.neighbor_scores(points, embedding, k=5))
    assert projection.shepard_correlation(distances, embedding, **asked) == pytest.approx(
        projection.shepard_correlation(points, embedding)
    )


def test_knn_accuracy_of_a_sample_asks_all_points():
    # Of each pair of equal points one is in the sample at most: its twin must still be found.
    points = np.repeat(np.arange(50.0), 2)[:, None]
    labels = np.repeat(np.arange(50), 2)
    assert projection.knn_accuracy(points, labels, k=1, rows=9) == 1
    assert projection.knn_accuracy(points, np.arange(100), k=1, rows=9) == 0


def test_shepard_correlation_is_spearmans():
    points, embedding = spaces(6)
    original, mapped = projection.pair_distances(points, embedding, pairs=700, seed=3)
    found = projection.shepard_correlation(points, embedding, pairs=700, seed=3)
    a, b = rankdata(original), rankdata(mapped)
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert 0.2 < found < 0.95
    assert projection.shepard_correlation(points, 2 * points) == pytest.approx(1)


def test_pairs_are_of_different_points_on_both_sides(monkeypatch):
    monkeypatch.setattr(projection, "_DISTANCES_AT_A_TIME", 60)
    # On a line where all distances differ, the pair can be told from its distance.
    line = 2.0 ** np.arange(9)[:, None]
    original, mapped = projection.pair_distances(line, np.hstack([line, 0 * line]), pairs=500)
    np.testing.assert_allclose(original, mapped)
    expected = {abs(float(a - b)) for a in line[:, 0] for b in line[:, 0] if a != b}
    assert set(original.tolist()) == expected


def test_equal_distances_have_no_correlation():
    points, _ = spaces(7)
    assert np.isnan(projection.shepard_correlation(points, np.zeros((N, 2))))


def test_procrustes_forgives_position_turn_mirror_and_scale():
    _, embedding = spaces(8)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    assert projection.procrustes_disparity(embedding, 5 * embedding @ turn + 40) < 1e-6
    other = np.random.default_rng(0).normal(size=(N, 2))
    assert projection.procrustes_disparity(embedding, other) > 0.8


def test_neighbor_overlap_counts_common_neighbors():
    a, b = spaces(9)
    in_a, in_b = ranks(a), ranks(b)
    common = (in_a > 0) & (in_a <= K) & (in_b <= K)
    expected = common.sum(axis=1).mean() / K
    assert projection.neighbor_overlap(a, b, k=K) == pytest.approx(expected)
    assert projection.neighbor_overlap(a, a, k=K, rows=11) == 1


def test_shapes_are_checked():
    points, embedding = spaces()
    with pytest.raises(AssertionError):
        projection.neighbor_scores(points, embedding[1:])
    with pytest.raises(AssertionError):
        projection.neighbor_scores(points, embedding, k=N // 2)
    with pytest.raises(AssertionError):
        projection.knn_accuracy(embedding, np.zeros((N, 1), int))
