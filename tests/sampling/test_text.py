import collections

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.sampling.text import BLOCK, TextStream

MARGIN = 2


def stream(ids, documents, keep, *, epochs=1, groups=3, size=4, key=0, block=BLOCK):
    return TextStream(
        jax.random.key(key),
        lambda start, stop: ids[start:stop],
        len(ids),
        np.asarray(documents),
        np.asarray(keep, np.float32),
        epochs=epochs,
        groups=groups,
        size=size,
        margin=MARGIN,
        block=block,
    )


def centers(batch):
    """The (word, document) pairs of the middle of every group, without padding."""
    middle = slice(MARGIN, -MARGIN)
    words, documents = batch.words[..., middle].ravel(), batch.documents[..., middle].ravel()
    return list(
        zip(words[documents >= 0].tolist(), documents[documents >= 0].tolist(), strict=True)
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    seed=st.integers(0, 9),
    groups=st.integers(1, 5),
    size=st.integers(1, 7),
)
def test_every_known_word_is_a_center_once_an_epoch(lengths, seed, groups, size):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 6, sum(lengths)).astype(np.int32)  # of which 5 is unknown
    starts = np.cumsum([0, *lengths[:-1]])
    batches = stream(ids, starts, [1, 1, 1, 1, 1, 0], epochs=2, groups=groups, size=size)
    document = np.repeat(np.arange(1, len(lengths) + 1), lengths)
    expected = collections.Counter(
        zip(ids[ids < 5].tolist(), document[ids < 5].tolist(), strict=True)
    )
    first, second = map(int, batches.epoch_steps)
    if expected:
        assert collections.Counter(centers(batches.batches(0, first))) == expected
        assert collections.Counter(centers(batches.batches(first, first + second))) == expected


def test_groups_hold_neighboring_words_with_their_margins():
    ids = np.arange(100, dtype=np.int32)
    batch = stream(ids, [0, 50], np.append(np.ones(100), 0)).batches(0, 9)
    assert batch.words.shape == (9, 3, 4 + 2 * MARGIN)
    for step in range(9):
        for group in range(3):
            # 100 words make 9 steps of 3 x 4, so that a group's stream holds 36.
            start = group * 36 + step * 4 - MARGIN
            for c in range(8):
                at = start + c
                inside = 0 <= at < 100
                assert batch.words[step, group, c] == (at if inside else 100)
                assert batch.documents[step, group, c] == ((1 + (at >= 50)) if inside else -1)


def test_a_batch_depends_on_the_step_alone():
    rng = np.random.default_rng(5)
    ids = rng.integers(0, 9, 1000).astype(np.int32)
    documents = [0, 10, 300, 301, 640, 900]
    keep = np.append(rng.uniform(0.2, 1, 9), 0)
    whole = stream(ids, documents, keep, epochs=3, block=64)
    steps = int(whole.epoch_steps.sum())
    everything = whole.batches(0, steps)
    for start, stop in [(0, 1), (7, 50), (steps - 3, steps), (20, 21)]:
        part = stream(ids, documents, keep, epochs=3, block=64).batches(start, stop)
        np.testing.assert_array_equal(part.words, everything.words[start:stop])
        np.testing.assert_array_equal(part.documents, everything.documents[start:stop])


def test_epochs_and_keys_draw_anew():
    ids = np.zeros(3000, np.int32)
    half = [0.5, 0.0]
    kept = {
        int((stream(ids, [0], half, epochs=1, key=key).batches(0, 200).documents >= 0).sum())
        for key in range(3)
    }
    assert len(kept) == 3


@pytest.mark.parametrize("block", [64, 1 << 16])
def test_subsampling_keeps_the_order_and_the_documents(block):
    ids = np.arange(500, dtype=np.int32)
    starts = np.array([0, 3, 64, 65, 128, 400])
    keep = np.append(np.full(500, 0.3), 0)
    batches = stream(ids, starts, keep, groups=1, size=4, block=block)
    found = centers(batches.batches(0, int(batches.epoch_steps[0])))
    words = [word for word, _ in found]
    assert words == sorted(set(words))
    assert 90 < len(words) < 210  # 150 expected, 10 standard deviations of 10
    assert [document for _, document in found] == np.searchsorted(starts, words, "right").tolist()
