import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.sampling.held_out import count_windows, hold_out
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextStream
from jaxemb.sampling.windows import whole_windows

V, WORDS = 20, 7001
TEXT = np.random.default_rng(0).integers(0, V + 2, WORDS).astype(np.int32)
DOCUMENTS = np.array([0, 3, 10, 11, 4000, 4002, 6990])


def read(start, stop):
    return TEXT[start:stop]


def divide(words=WORDS, share=0.1, least=5):
    return hold_out(read, words=words, documents=DOCUMENTS, share=share, least=least, unknown=V)


@pytest.mark.parametrize(("share", "stretch"), [(0.1, 500), (0.02, 140), (0.5, 500)])
def test_every_word_is_in_one_part_at_its_place(share, stretch):
    parts = divide(share=share)
    trained_on, held = parts.trained_on(0, WORDS), parts.held_out(0, WORDS)
    every = round(1 / share)
    for i in range(WORDS):
        is_held_out = i // stretch % every == every // 2
        known, other = (held, trained_on) if is_held_out else (trained_on, held)
        assert (known[i], other[i]) == (TEXT[i], V)
    assert 0.3 * share < (held == TEXT).mean() < 1.2 * share + 0.1
    # Whatever part is asked for.
    np.testing.assert_array_equal(parts.held_out(1234, 2000), held[1234:2000])
    assert trained_on.dtype == held.dtype == np.int32


def test_documents_end_where_a_stretch_is_cut_out():
    cuts = {500 * k + e for k in (5, 15) for e in (0, 500)} - {7500, 8000}
    assert divide().documents.tolist() == sorted(cuts | set(DOCUMENTS.tolist()))


def whole(part, documents, window):
    """Windows of a part by plain loops: rare words dropped, none across a document."""
    total = 0
    for start, stop in zip(documents, [*documents[1:], WORDS], strict=True):
        kept = [word for word in part(start, stop) if word < V]
        total += max(0, len(kept) - window + 1)
    return total


@pytest.mark.parametrize("window", [3, 5, 21])
def test_windows_are_counted_as_the_stream_has_them(window):
    parts = divide()
    keep = keep_probability(np.ones(V), words=WORDS, threshold=0)
    for part in (parts.trained_on, parts.held_out):
        expected = whole(part, parts.documents, window)
        for block in (97, 1 << 20):
            asked = {"words": WORDS, "documents": parts.documents, "window": window, "unknown": V}
            assert count_windows(part, **asked, enough=WORDS, block=block) == expected
        stream = TextStream(
            *(jax.random.key(0), part, WORDS, parts.documents, keep),
            epochs=1,
            groups=4,
            size=8,
            margin=window // 2,
        )
        batches = stream.batches(0, int(stream.epoch_steps.sum()))
        inside = [whole_windows(documents, window=window) for documents in batches.documents]
        assert int(np.sum(inside)) == expected


def test_a_text_too_short_is_refused():
    assert divide(words=50).held_out(0, 50).tolist() != [V] * 50
    with pytest.raises(InputError, match="49 words are too few to hold out a share of 0.1, which"):
        divide(words=49)


def test_no_more_is_read_than_it_takes_to_find_enough():
    asked = []

    def noted(start, stop):
        asked.append((start, stop))
        return np.zeros(stop - start, np.int32)

    text = {"words": WORDS, "documents": np.array([0]), "window": 5, "unknown": V}
    assert count_windows(noted, **text, enough=150, block=100) == 196
    assert asked == [(0, 100), (100, 200)]
