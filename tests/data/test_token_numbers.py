import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data import token_numbers
from jaxemb.data.token_numbers import TokenNumbers

# Short tokens and long, white space of all kinds, half of a surrogate pair, and what isn't white
# space though it looks so.
_PARTS = st.sampled_from(
    [
        "a",
        "b",
        "é",
        "語",
        "😀",
        "of-eight",
        "twelve bytes".replace(" ", "-"),
        "\0",
        "\ud800",
        "\u200b",
    ]
    + [chr(code) for code in range(0x3001) if chr(code).isspace()]
)
_TEXTS = st.lists(st.lists(_PARTS, max_size=12).map("".join), min_size=1, max_size=6)


def check_numbers(batches: list[list[str]]) -> None:
    table = TokenNumbers()
    known: dict[str, int] = {}
    for texts in batches:
        numbers, sizes = table.of(texts)
        tokens = [text.split() for text in texts]
        expected = [known.setdefault(token, len(known)) for line in tokens for token in line]
        np.testing.assert_array_equal(numbers, expected)
        np.testing.assert_array_equal(sizes, list(map(len, tokens)))
    assert table.new == "".join(f"{token}\n" for token in known)


@given(st.lists(_TEXTS, min_size=1, max_size=3))
@settings(derandomize=True, max_examples=200)
def test_numbers_what_split_finds(batches: list[list[str]]):
    check_numbers(batches)


@given(st.lists(_TEXTS, min_size=1, max_size=3))
@settings(derandomize=True, max_examples=200)
def test_tokens_that_share_slots_keep_their_numbers(batches: list[list[str]]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_numbers, "_SLOT_BITS", 1)
        patch.setattr(token_numbers, "_AT_ONCE", 5)
        check_numbers(batches)


def test_every_white_space_separates():
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    text = "".join(f"{space}w{i % 7}" for i, space in enumerate(spaces))
    numbers, sizes = TokenNumbers().of([text, ""])
    np.testing.assert_array_equal(numbers, np.arange(len(spaces)) % 7)
    np.testing.assert_array_equal(sizes, [len(spaces), 0])


def test_more_tokens_than_slots():
    texts = [
        " ".join(f"t{i % 200_000}" for i in range(start, start + 50_000))
        for start in range(0, 400_000, 50_000)
    ]
    table = TokenNumbers()
    numbers = np.concatenate([table.of([text])[0] for text in texts])
    np.testing.assert_array_equal(numbers, np.arange(400_000) % 200_000)
