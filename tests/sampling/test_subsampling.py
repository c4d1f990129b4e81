import numpy as np
import pytest

from jaxemb.sampling.subsampling import keep_probability, subsample


@pytest.mark.parametrize("threshold", [1e-1, 1e-2, 1e-4])
def test_keep_probability_is_word2vecs_formula(threshold):
    counts, words = [5000, 900, 31, 1], 6100
    expected = []
    for count in counts:
        frequency = count / words
        expected.append(min(1.0, (threshold / frequency) ** 0.5 + threshold / frequency))
    np.testing.assert_allclose(
        keep_probability(np.array(counts), words=words, threshold=threshold),
        [*expected, 0.0],
        rtol=1e-6,
    )


def test_threshold_zero_keeps_every_known_word():
    keep = keep_probability(np.array([70, 2]), words=80, threshold=0.0)
    np.testing.assert_array_equal(keep, [1, 1, 0])
    ids = np.tile(np.array([0, 1, 2, 9]), 5000)
    stays = np.asarray(subsample(np.random.default_rng(0), ids, keep)).reshape(-1, 4)
    assert stays[:, :2].all()
    assert not stays[:, 2:].any()


def test_words_stay_as_often_as_they_should():
    keep = np.array([0.03, 0.5, 0.97, 0.0])
    stays = np.asarray(subsample(np.random.default_rng(1), np.tile(np.arange(4), 40_000), keep))
    share = stays.reshape(-1, 4).mean(0)
    deviation = np.sqrt(np.asarray(keep) * (1 - np.asarray(keep)) / 40_000)
    assert (abs(share - np.asarray(keep)) <= 4 * deviation).all()
