import numpy as np
import pytest
from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.models.subwords import subwords


@given(
    words=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=7), max_size=5),
    shortest=st.integers(2, 4),
    more=st.integers(0, 3),
    buckets=st.sampled_from([1, 7, 2_000_000, 2**32 - 1]),
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_pieces_are_gensims(words, shortest, more, buckets):
    found = subwords(words, shortest=shortest, longest=shortest + more, buckets=buckets)
    for number, word in enumerate(words):
        pieces = compute_ngrams_bytes(word, shortest, shortest + more)
        expected = sorted(ft_hash_bytes(piece) % buckets for piece in pieces)
        assert sorted(found.buckets[found.words == number].tolist()) == expected
    assert (np.diff(found.words) >= 0).all()


def _hash(piece: str) -> int:
    """FNV-1a of 32 bits, bytes sign-extended."""
    found = 2166136261
    for byte in piece.encode():
        found ^= byte if byte < 128 else byte + 0xFFFFFF00
        found = found * 16777619 % 2**32
    return found


@pytest.mark.parametrize(("shortest", "longest"), [(1, 1), (1, 3), (3, 2), (0, 0), (5, 9)])
def test_pieces_of_any_length(shortest, longest):
    word = "añ中🙂b"
    whole = f"<{word}>"
    expected = [
        _hash(whole[start : start + count]) % 1000
        for start in range(len(whole))
        for count in range(max(shortest, 1), longest + 1)
        # A single bracket is no piece.
        if start + count <= len(whole) and (count > 1 or 0 < start < len(whole) - 1)
    ]
    found = subwords([word], shortest=shortest, longest=longest, buckets=1000)
    assert sorted(found.buckets.tolist()) == sorted(expected)
