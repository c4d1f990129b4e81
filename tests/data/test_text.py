import re

import numpy as np
import pytest

from jaxemb import data
from jaxemb.data.phrases import join_phrases
from jaxemb.data.tokenize import words
from jaxemb.errors import InputError

DOCUMENTS = ["The cat sat. The cat!", "a dog sat", "", "caf\u00e9 the cafe\u0301 don't"]


@pytest.fixture(autouse=True)
def _private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def documents(text):
    ends = [*text.corpus.documents[1:].tolist(), text.corpus.words]
    return [
        [text.corpus.vocabulary.words[i] for i in text.corpus.read(start, end)]
        for start, end in zip(text.corpus.documents.tolist(), ends, strict=True)
    ]


def test_tokens_strings_and_files_give_the_same_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(DOCUMENTS))
    found = [
        data.from_tokens(
            [words(line.replace("e\u0301", "\u00e9")) for line in DOCUMENTS], min_count=2
        ),
        data.from_texts(iter(DOCUMENTS), min_count=2),
        data.open_text(path, min_count=2),
        data.open_text([str(path)], min_count=2),
    ]
    for text in found:
        assert text.vocabulary.words == ["the", "caf\u00e9", "cat", "sat"]
        assert text.vocabulary.counts.tolist() == [3, 2, 2, 2]
        assert documents(text)[0] == ["the", "cat", "sat", "the", "cat"]
        assert [len(document) for document in documents(text)] == [5, 3, 4]
        assert text.corpus.documents.dtype == np.int64
        np.testing.assert_array_equal(text.corpus.read(0, 12), found[0].corpus.read(0, 12))
        assert text.corpus.read(3, 3).dtype == np.int32


def test_words_are_taken_as_they_are():
    text = data.from_tokens(
        (document for document in [("New York", "is"), ["is", "IS"]]), min_count=1
    )
    assert text.vocabulary.words == ["is", "IS", "New York"]


def test_another_tokenizer_and_at_most_so_many_words():
    text = data.from_texts(DOCUMENTS, tokenizer=str.split, min_count=1, max_vocab=3)
    assert text.vocabulary.words == ["The", "cafe\u0301".replace("e\u0301", "\u00e9"), "a"]
    assert len(text.corpus.vocabulary) > 3


def test_tokenizer_by_name_and_case():
    text = data.from_texts(["The C++ the"], tokenizer="whitespace", min_count=1)
    assert text.vocabulary.words == ["the", "c++"]
    text = data.from_texts(["The C++ the"], keep_case=True, min_count=1)
    assert text.vocabulary.words == ["C", "The", "the"]


def test_files_are_read_as_asked(tmp_path):
    path = tmp_path / "text.csv"
    path.write_bytes("n;text\n1;Caf\u00e9 au\n2;Lait\n3;\n".encode("latin-1"))
    text = data.open_text(path, column="text", encoding="latin-1", keep_case=True, min_count=1)
    assert documents(text) == [["Caf\u00e9", "au"], ["Lait"]]
    (tmp_path / "text.txt").write_bytes(b"a b\nc\n\nd\xff e\n")
    text = data.open_text(
        tmp_path / "text.txt",
        documents="paragraph",
        errors="skip",
        tokenizer="characters",
        min_count=1,
    )
    assert documents(text) == [["a", "b", "c"], ["d", "e"]]


def test_what_was_changed_is_told_each_time(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    path = tmp_path / "text.txt"
    path.write_bytes(b"C++ sku-025\nb\xff\n")
    for _ in range(2):
        data.open_text(path, errors="skip", min_count=1)
        changed, skipped = caplog.records
        assert "(sku-025 is now sku 025; C++ is now c)" in changed.message
        assert "1 bytes that are no text in the encoding were skipped" in skipped.message
        assert (changed.levelname, skipped.levelname) == ("INFO", "WARNING")
        caplog.clear()
    data.from_texts(["C++ sku-025"], min_count=1)
    assert "(sku-025 is now sku 025; C++ is now c)" in caplog.text


def test_each_function_is_asked_itself(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a,b c\n")
    found = [
        data.open_text(path, tokenizer=split, min_count=1).vocabulary.words
        for split in (lambda text: text.split(), lambda text: text.replace(",", " ").split())
    ]
    assert found == [["a,b", "c"], ["a", "b", "c"]]


def test_phrases_are_joined(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    rng = np.random.default_rng(0)
    fill = [" ".join(f"f{i}" for i in rng.integers(40, size=20)) for _ in range(60)]
    path = tmp_path / "text.txt"
    path.write_text("".join(f"{line} new york\n" for line in fill))
    text = data.open_text(path, phrases=1, phrase_threshold=10)
    assert text.vocabulary.words[0] == "new_york"
    assert "1 phrases joined, such as new_york" in caplog.messages


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.from_tokens("a text"), "found one string; from_texts([...])"),
        (
            lambda: data.from_tokens([["a"], "a text"]),
            "document 1 is a string, not a list of words",
        ),
        (lambda: data.from_tokens([["a"], 3]), "document 1 is no list of words"),
        (lambda: data.from_tokens([["a", ["b"]]]), "document 0 is no list of words"),
        (
            lambda: data.from_tokens([["a", 7]]),
            "words must be strings of at least a character, found 7",
        ),
        (lambda: data.from_tokens([["a", ""]]), "found ''; 1 such words"),
        (lambda: data.from_tokens([[], []]), "the documents hold no words"),
        (lambda: data.from_texts("a text"), "found one string; [string]"),
        (lambda: data.from_texts([["a"]]), "document 0 must be a string, found list; from_tokens"),
        (lambda: data.from_tokens([["a", "b"]]), "no word has a count of at least min_count = 5"),
        (
            lambda: data.from_tokens([["a", "a", "b"]], min_count=2),
            "only the word 'a' is left, two are needed; is min_count = 2 too large?",
        ),
        (
            lambda: data.from_tokens([["a", "b"]], min_count=1, max_vocab=1),
            "min_count = 1 too large, or max_vocab = 1 too small?",
        ),
        (lambda: data.from_tokens([["a", "b"]], min_count=1, max_vocab=0), "max_vocab must be at"),
        (lambda: data.from_tokens([["a"], ["b"]], min_count=1), "every document is a single word"),
        (lambda: data.from_tokens(None), "documents must be lists of words, found NoneType"),
        (lambda: data.from_tokens([{"a", "b"}]), "document 0 must be a list of words in their"),
        (lambda: data.from_tokens([["a", "b"]], min_count="5"), "min_count must be a whole number"),
        (lambda: data.from_tokens([["a", "b"]], min_count=None), "number, found None"),
        (lambda: data.from_tokens([["a", "b"]], min_count=0), "min_count must be at least 1"),
        (lambda: data.from_tokens([["a", "b"]], max_vocab=1.5), "max_vocab must be a whole number"),
        (lambda: data.from_texts(7), "strings must be a list of documents, found int"),
        (lambda: data.from_texts(["a b"], tokenizer="word"), "tokenizer must be words, whitespace"),
        (lambda: data.from_texts(["a b"], keep_case=1), "keep_case must be"),
        (lambda: data.open_text(None), "paths must be a file, a folder or a list of them, found"),
        (lambda: data.open_text([["a"]]), "paths must be a file, a folder or a list of them"),
        (lambda: data.open_text([b"a"]), "paths must be strings or Path, found bytes"),
        (
            lambda: data.open_text("a", errors="ignore"),
            "errors must be 'strict', 'replace'",
        ),
        (lambda: data.open_text("a", encoding="utf-9"), "encoding must be one that Python knows"),
        (
            lambda: data.open_text("a", documents="file", column="text"),
            "documents = 'file' doesn't go with a column",
        ),
        (lambda: data.open_text("missing.txt"), "missing.txt: no such file or folder, nor a known"),
    ],
)
def test_what_is_no_text_is_refused(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()


def test_files_without_neighbors_are_named(tmp_path):
    (tmp_path / "text.txt").write_text("a\nb\n")
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'text.txt'}: every document")):
        data.open_text(tmp_path / "text.txt", min_count=1)


def test_phrases_need_text_on_disk(tmp_path):
    text = data.from_tokens([["a", "b"]], min_count=1)
    with pytest.raises(InputError, match="phrases are joined in text files only"):
        join_phrases(text.corpus, tmp_path)
