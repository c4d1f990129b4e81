import importlib
import sys

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data.tokenize import as_tokenizer, characters, whitespace, words, words_of_lines
from jaxemb.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat, the DOG.", ["the", "cat", "the", "dog"]),
        ("don't rock'n'roll 'quoted'", ["don't", "rock'n'roll", "quoted"]),
        ("don\u2019t \u2019tis", ["don't", "tis"]),
        ("object_hook a__b _ __", ["object_hook", "a__b"]),
        ("3.14 1,000.5 x2 U.S. C++ 10:30", ["3.14", "1,000.5", "x2", "u.s", "c", "10", "30"]),
        ("e-mail\u2014now", ["e", "mail", "now"]),
        ("Straße, naïve cafe\u0301", ["straße", "naïve", "caf\u00e9"]),
        ("\u03a3\u0391\u03a3", ["\u03c3\u03b1\u03c2"]),  # a sigma at the end is another letter
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("می\u200cخواهم، کتاب\u200cها", ["می\u200cخواهم", "کتاب\u200cها"]),
        ("ශ්\u200dරී ලංකා", ["ශ්\u200dරී", "ලංකා"]),
        ("צה\"ל צה\u05f4ל ג\u05f3ירפה ר' 5", ['צה"ל', "צה\u05f4ל", "ג\u05f3ירפה", "ר'", "5"]),
        ("مُحَمَّد كتــاب", ["مُحَمَّد", "كتــاب"]),
        ("ʻōlelo Hawaiʻi", ["ʻōlelo", "hawaiʻi"]),
        ("한국어, 사랑", ["한국어", "사랑"]),
        ("วัตถุ ท้องฟ้า", ["วัตถุ", "ท้องฟ้า"]),
        ("གུ་རུ་ བོད", ["གུ་རུ་", "བོད"]),
        ("中文 食べる。カタカナABC", ["中文", "食べる", "カタカナ", "abc"]),
        (
            "hi👍🏽! 👨\u200d👩\u200d👧 🇩🇪🇫🇷 ❤️ ©",
            ["hi", "👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "❤️"],
        ),
        ("co\u00adoperate שלום\u200f", ["cooperate", "שלום"]),  # what only directs the display
        ("... !", []),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_case_is_kept_if_asked():
    assert words("The Straße, US", keep_case=True) == ["The", "Straße", "US"]
    assert whitespace("The C++ e\u0301", keep_case=True) == ["The", "C++", "\u00e9"]
    assert whitespace("The C++") == ["the", "c++"]
    assert characters("Hé हि \u4e2d\u6587") == ["h", "é", "हि", "\u4e2d", "\u6587"]
    assert characters("Hé", keep_case=True) == ["H", "é"]


# The classes of UAX #29 that take part in words, with characters of each, and what words leave as
# it is: no scripts without spaces, emoji, characters that are dropped or white space.
CLASSES = ("ALetter", "Hebrew_Letter", "Numeric", "ExtendNumLet", "Extend", "ZWJ")
CLASSES += ("MidLetter", "MidNum", "MidNumLet", "Single_Quote", "Double_Quote", "Other")
CLASS = {name: regex.compile(rf"\p{{WB={name}}}") for name in CLASSES}
LETTERS = "aZé\u0434\u0915\u05d0\u05e91\u0663_\u203f\u0301\u094d\u200c\u200d:\u00b7\u05f4,;\u066c."
LETTERS += "\u2024'\"-"


def boundaries(text: str) -> list[int]:
    """Where UAX #29 has word boundaries, its rules one by one."""
    kinds = [next(name for name in CLASSES if CLASS[name].match(one)) for one in text]
    # WB4: marks count as what they follow.
    places = [i for i, kind in enumerate(kinds) if kind not in ("Extend", "ZWJ") or i == 0]
    letters, inner = ("ALetter", "Hebrew_Letter"), ("MidNumLet", "Single_Quote")
    found = []
    for j in range(1, len(places)):
        near = [kinds[places[i]] if 0 <= i < len(places) else "" for i in range(j - 2, j + 2)]
        before2, before, after, after2 = near
        joined = (
            (before in letters and after in letters)  # WB5
            or (before in letters and after in ("MidLetter", *inner) and after2 in letters)  # WB6
            or (before2 in letters and before in ("MidLetter", *inner) and after in letters)  # WB7
            or (before == "Hebrew_Letter" and after == "Single_Quote")  # WB7a
            or (before == after2 == "Hebrew_Letter" and after == "Double_Quote")  # WB7b
            or (before2 == after == "Hebrew_Letter" and before == "Double_Quote")  # WB7c
            or (before in (*letters, "Numeric") and after == "Numeric")  # WB8, 9
            or (before == "Numeric" and after in letters)  # WB10
            or (before2 == after == "Numeric" and before in ("MidNum", *inner))  # WB11
            or (before == after2 == "Numeric" and after in ("MidNum", *inner))  # WB12
            or (before in (*letters, "Numeric", "ExtendNumLet") and after == "ExtendNumLet")  # 13a
            or (before == "ExtendNumLet" and after in (*letters, "Numeric"))  # WB13b
        )
        if not joined:
            found.append(places[j])
    return [0, *found, len(text)]


@given(st.text(st.sampled_from(LETTERS), max_size=12))
@settings(derandomize=True, max_examples=600)
def test_words_are_those_of_the_standard(text):
    text = whitespace(text, keep_case=True)[0] if text else ""
    ends = boundaries(text) if text else []
    segments = [text[a:b] for a, b in zip(ends, ends[1:], strict=False)]
    expected = [
        one for one in segments if regex.search(r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{N}]", one)
    ]
    # A mark that nothing is before is no part of a word.
    assert words(text, keep_case=True) == [
        regex.sub(r"^[\p{WB=Extend}\p{WB=ZWJ}]+", "", one) for one in expected
    ]


@given(
    st.text(st.characters(codec="ascii")) | st.text(st.sampled_from("aZ09_:.,;'\" -"), max_size=12)
)
@settings(derandomize=True, max_examples=300)
def test_the_quick_way_for_ascii_is_the_general_rule(text):
    assert words(text + " é") == [*words(text), "é"]


@given(st.text(max_size=20), st.text(max_size=20))
@settings(derandomize=True)
@pytest.mark.parametrize("split", [words, whitespace, characters])
def test_tokens_between_white_space_stand_alone(split, first, second):
    both = split(f"{first} {second}")
    assert both == split(first) + split(second)
    assert both == [word for token in f"{first} {second}".split() for word in split(token)]
    assert all(word.split() == [word] for word in both)


# Every class of UAX #29, scripts without spaces, what is dropped, emoji, letters that change their
# number when they are lower-cased or composed, and half of a surrogate pair.
_CHARACTERS = LETTERS + "\u0130\u03a3\u212b\u1100\u1161\u4e2d\u3072\u30a2\u0e01\u0e31\u0f40\u0f0b"
_CHARACTERS += (
    "\u2019\u00ad\u00ab\u2014\u00a9\u2764\ufe0f\u24c2\U0001f44d\U0001f3fd\U0001f1e9\ud800"
)
_TOKENS = st.lists(
    st.text(st.sampled_from(_CHARACTERS), max_size=9)
    | st.text(st.characters(codec="ascii"), max_size=9)
    | st.text(max_size=9),
    max_size=9,
).map(lambda texts: [token for text in texts for token in text.split()])


@given(tokens=_TOKENS, keep_case=st.booleans())
@settings(derandomize=True, max_examples=1000, deadline=None)
def test_words_of_lines_are_those_of_each(tokens, keep_case):
    lines = "".join(f"{token}\n" for token in tokens)
    found = words_of_lines(lines, keep_case=keep_case)
    assert found.split("\n") == [" ".join(words(one, keep_case=keep_case)) for one in tokens] + [""]


@given(tokens=_TOKENS)
@settings(derandomize=True, max_examples=100, deadline=None)
@pytest.mark.parametrize("name", ["words", "whitespace", "characters"])
def test_lines_are_split_as_each_token(name, tokens):
    tokenizer = as_tokenizer(name)
    found = tokenizer.split_lines("".join(f"{token}\n" for token in tokens))
    assert found == "".join(" ".join(tokenizer.split(token)) + "\n" for token in tokens)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of the user's in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_for_test.py").write_text(
        "def pairs(text):\n    return [text[i : i + 2] for i in range(0, len(text), 2)]\n"
        "def bad(text):\n    return text\n"
        "def fails(text):\n    return text.no_such\n"
        "def numbers(text):\n    return [1]\n"
        "def spaced(text):\n    return ['New York']\n"
        "five = 5\n"
    )
    importlib.invalidate_caches()
    yield tmp_path / "mine_for_test.py"
    sys.modules.pop("mine_for_test", None)


def test_a_function_by_name(module):
    found = as_tokenizer("mine_for_test:pairs")
    assert found.split("ab c  d") == ["ab", "c", "d"]
    assert found.split_lines is None
    assert "" not in sys.path or sys.path.count("") == 1


def test_what_tells_tokenizers_apart(module):
    pairs = as_tokenizer("mine_for_test:pairs")
    assert pairs.identity == as_tokenizer(sys.modules["mine_for_test"].pairs).identity
    names = [
        as_tokenizer(name, keep_case=kept) for name in ("words", "characters") for kept in (0, 1)
    ]
    names += [pairs, as_tokenizer("mine_for_test:bad")]
    assert len({one.identity for one in names}) == 6
    module.write_text(module.read_text() + "# changed\n")
    del sys.modules["mine_for_test"]
    importlib.invalidate_caches()
    assert as_tokenizer("mine_for_test:pairs").identity != pairs.identity
    # These can't be found by their names.
    assert as_tokenizer(lambda text: text.split(",")).identity is None
    assert as_tokenizer(str.split).identity is None


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (
            "word",
            "tokenizer must be words, whitespace, characters or module:function, found 'word'",
        ),
        (None, "tokenizer must be words, .* or a function, found NoneType"),
        ("no_such_module:f", "can't be loaded: No module named 'no_such_module'. A module lies in"),
        ("mine_for_test:g", "tokenizer 'mine_for_test:g' can't be loaded: .*no attribute 'g'"),
        ("mine_for_test:five", "is no function but int"),
    ],
)
def test_what_is_no_tokenizer_is_refused(module, tokenizer, message):
    with pytest.raises(InputError, match=message):
        as_tokenizer(tokenizer)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad", "mine_for_test:bad must return a list of words, found str; on 'a text'"),
        ("fails", "mine_for_test:fails failed with AttributeError: .*; on 'a text'"),
        ("numbers", "must return words, strings without white space, found 1"),
        ("spaced", "must return words, strings without white space, found 'New York'"),
    ],
)
def test_what_is_no_word_is_refused(module, name, message):
    with pytest.raises(InputError, match=message):
        as_tokenizer(f"mine_for_test:{name}").split("a text")
