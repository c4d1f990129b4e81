import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data.tokenize import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat, the DOG.", ["the", "cat", "the", "dog"]),
        ("don't rock'n'roll 'quoted'", ["don't", "rock'n'roll", "quoted"]),
        ("don\u2019t", ["don't"]),
        ("object_hook __init__ a__b", ["object_hook", "init", "a", "b"]),
        ("3.14 x2", ["3", "14", "x2"]),
        ("Straße, naïve café", ["straße", "naïve", "café"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("e-mail\u2014now", ["e", "mail", "now"]),
        ("... !", []),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(st.text(st.characters(codec="ascii")))
@settings(derandomize=True)
def test_the_quick_way_for_ascii_is_the_general_rule(text):
    assert words(text + " é") == [*words(text), "é"]


@given(st.text(max_size=20))
@settings(derandomize=True)
def test_no_word_is_empty_or_contains_white_space(text):
    assert all(word.split() == [word] for word in words(text))
