import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data import word_ids
from jaxemb.data.tokenize import CLAUSE, UNSPACED_SCRIPT, as_tokenizer
from jaxemb.data.vocabulary import ProvisionalIds
from jaxemb.data.word_ids import WordIds

TOKENS = ["a", "B", "c-d", "...", "e.", "\u00e9", "e\u0301", "C++", "\u4e2d\u6587"]


@given(
    texts=st.lists(st.lists(st.sampled_from(TOKENS)).map(" ".join), max_size=6),
    name=st.sampled_from(["words", "whitespace", "characters", "function"]),
    most=st.sampled_from([5, 1 << 26]),
)
@settings(derandomize=True, max_examples=100, deadline=None)
def test_ids_are_those_of_the_words(texts, name, most):
    tokenizer = as_tokenizer(str.split if name == "function" else name)
    ids = ProvisionalIds()
    known = WordIds(tokenizer, ids)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_ids, "_MOST_CHARACTERS", most)
        for part in (texts, texts[::-1]):
            found, sizes = known.of(part)
            words = list(ids)
            expected = [as_tokenizer("whitespace", keep_case=True).split(text) for text in part]
            if name != "function":
                expected = [tokenizer.split(text) for text in part]
            assert [words[i] for i in found] == [word for one in expected for word in one]
            assert sizes.tolist() == [len(one) for one in expected]
            assert (found.dtype, sizes.dtype) == (np.int32, np.int64)


@given(
    texts=st.lists(
        st.text(st.sampled_from("aB.-9\u00e9\u0301\u2019\u0414\u4e2d\u0e01 "), max_size=30)
    ),
    name=st.sampled_from(["words", "whitespace", "characters"]),
    keep_case=st.booleans(),
)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_changes_are_those_of_each_token(texts, name, keep_case):
    tokenizer = as_tokenizer(name, keep_case=keep_case)
    known = WordIds(tokenizer, ProvisionalIds())
    known.of(texts)
    lowered = cut = unspaced = long = 0
    cuts, trims = {}, {}
    tokens = [token for text in texts for token in text.split()]
    for token in tokens:
        split = tokenizer.split(token)
        kept = "".join(split)
        plain = unicodedata.normalize("NFC", token).replace("\u2019", "'")
        lowered += kept != "" and plain != plain.lower() and kept == kept.lower()
        cut += split not in ([plain], [plain.lower()])
        unspaced += any(map(UNSPACED_SCRIPT.search, split))
        long += any(map(CLAUSE.search, split))
        if split not in ([plain], [plain.lower()]):
            (trims if len(split) == 1 else cuts)[token] = tuple(split)
    found = known.changes
    assert found[:5] == (len(tokens), lowered, cut, unspaced, long)
    assert found.cuts == tuple(([*cuts.items()][:2] + [*trims.items()][:2])[:2])


def changes(text: str, tokenizer: str = "words", **options) -> word_ids.Changes:
    known = WordIds(as_tokenizer(tokenizer, **options), ProvisionalIds())
    known.of([text, "same"])
    return known.changes


def test_changes_are_counted():
    found = changes("The cat, the sku-025: C++ don\u2019t -- sku-025")
    assert found.tokens == 9
    assert found.lowered == 2  # The, C++
    assert found.cut == 5  # cat, sku-025: C++ -- sku-025
    assert found.cuts == (("sku-025:", ("sku", "025")), ("--", ()))
    kept = changes("The cat, the C++", keep_case=True)
    assert (kept.lowered, kept.cut, kept.cuts) == (0, 2, (("cat,", ("cat",)), ("C++", ("C",))))
    assert changes("The C++ cafe\u0301", "whitespace")[:3] == (4 + 1 - 1, 2, 0)


def test_clauses_in_scripts_without_spaces_are_counted():
    found = changes(
        "\u4e2d\u6587 a " + "\u4e2d" * 5 + " \u0e01" + "\u0e01" * 12 + " \u304a\u306f\u3088\u3046"
    )
    assert (found.unspaced, found.long) == (4, 2)
    assert found.clause == "\u4e2d" * 5


def test_changes_of_two_texts():
    both = changes("A b-c").and_of(changes("d-e f-g H"))
    assert both == (6 + 1, 2, 3, 0, 0, (("b-c", ("b", "c")), ("d-e", ("d", "e"))), "")
