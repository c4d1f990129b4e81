import collections
import json
import shutil

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jaxemb.data import compressed
from jaxemb.data import encode as encode_module
from jaxemb.data.corpora import Corpus, open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.text_files import Reading, Source
from jaxemb.data.tokenize import TOKENS, as_tokenizer
from jaxemb.errors import InputError


def decoded(corpus: EncodedCorpus) -> list[list[str]]:
    ends = [*corpus.documents[1:].tolist(), corpus.words]
    return [
        [corpus.vocabulary.words[i] for i in corpus.read(start, end)]
        for start, end in zip(corpus.documents.tolist(), ends, strict=True)
    ]


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.txt").write_text("b a b\n\nc a\nb\n")
    return open_corpus([str(tmp_path / "small.txt")], tmp_path)


def test_ids_are_ranks_by_count_then_word(small, tmp_path):
    found = encode(small, tmp_path / "cache", progress=False)
    assert found.vocabulary.words == ["b", "a", "c"]
    assert found.vocabulary.counts.tolist() == [3, 2, 1]
    assert found.read(0, 6).tolist() == [0, 1, 0, 2, 1, 0]
    assert found.read(0, 6).dtype == np.int32
    assert found.documents.dtype == np.int64
    assert found.documents.tolist() == [0, 3, 5]
    assert found.words == 6
    assert found.sha256 == small.sha256


DOCUMENTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "dd", "é", "中文"]), max_size=8), max_size=8
)


@given(
    files=st.lists(DOCUMENTS, min_size=1, max_size=3),
    shard=st.integers(1, 9),
    block=st.integers(8, 40),
    articles=st.booleans(),
)
@example(files=[[["a"], [], [], [], [], []]], shard=1, block=8, articles=True)  # many line ends
@settings(max_examples=60, derandomize=True, deadline=None)
def test_decoding_gives_the_words_back(tmp_path_factory, files, shard, block, articles):
    folder = tmp_path_factory.mktemp("encode")
    separator = "\n\n" if articles else "\n"
    sources = []
    for i, documents in enumerate(files):
        path = folder / f"{i}.txt"
        path.write_text(separator.join(" ".join(words) for words in documents))
        reading = Reading(documents="paragraph" if articles else "line")
        sources.append(Source((path,), TOKENS, reading))
    expected = [words for documents in files for words in documents if words]
    corpus = Corpus("random", tuple(sources))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressed, "BLOCK_BYTES", block)
        patch.setattr(encode_module, "_SHARD_WORDS", shard)
        if not expected:
            with pytest.raises(InputError, match="random: no words in"):
                encode(corpus, folder / "cache", progress=False)
            return
        found = encode(corpus, folder / "cache", progress=False)
    assert decoded(found) == expected
    counts = collections.Counter(word for words in expected for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    assert found.vocabulary.words == ranked
    assert found.vocabulary.counts.tolist() == [counts[word] for word in ranked]
    assert len(found.shards) == -(-found.words // shard)
    whole = found.read(0, found.words)
    for start in range(0, found.words, 5):
        for stop in range(start, found.words + 1, 3):
            np.testing.assert_array_equal(found.read(start, stop), whole[start:stop])
    shutil.rmtree(folder)


def test_sources_keep_their_own_rules(tmp_path):
    (tmp_path / "wiki").write_text("Title\nA line\n\nNext\n")
    (tmp_path / "lines").write_text("One, two.\nThree\n")
    corpus = Corpus(
        "both",
        (
            Source((tmp_path / "wiki",), TOKENS, Reading(documents="paragraph")),
            open_corpus([str(tmp_path / "lines")], tmp_path).sources[0],
        ),
    )
    found = encode(corpus, tmp_path / "cache", progress=False)
    assert decoded(found) == [["Title", "A", "line"], ["Next"], ["one", "two"], ["three"]]


def test_encoded_once(small, tmp_path, monkeypatch, capsys):
    first = encode(small, tmp_path / "cache", progress=True)
    assert "encoding" in capsys.readouterr().err
    monkeypatch.setattr(encode_module, "_build", None)
    monkeypatch.setattr(Corpus, "sha256", None)
    again = encode(small, tmp_path / "cache", progress=True)
    assert decoded(again) == decoded(first)
    assert again.sha256 == first.sha256
    assert capsys.readouterr().err == ""


def test_another_file_or_rule_is_encoded_anew(small, tmp_path):
    first = encode(small, tmp_path / "cache", progress=False)
    others = [
        {"tokenizer": TOKENS},
        {"tokenizer": as_tokenizer("words", keep_case=True)},
        {"reading": Reading(documents="file")},
        {"reading": Reading(encoding="latin-1")},
        {"reading": Reading(errors="skip")},
    ]
    found = {first.directory}
    for other in others:
        corpus = Corpus("small", (small.sources[0]._replace(**other),))
        found.add(encode(corpus, tmp_path / "cache", progress=False).directory)
    assert len(found) == 6
    small.files[0].write_text("other words")
    assert decoded(encode(small, tmp_path / "cache", progress=False)) == [["other", "words"]]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("tokens_00000.npy", None, "No such file"),
        ("tokens_00000.npy", b"short", "tokens_00000.npy has 5 bytes, not 152"),
        ("documents.npy", b"", "documents.npy has 0 bytes"),
        ("vocabulary.txt", b"b 3\na 2\nc x\n", "line 3: expected a word and its count"),
        ("manifest.json", b'{"words":', "Expecting value"),
        ("manifest.json", b"[]", "list indices"),
    ],
)
def test_damage_is_said_and_repaired(small, tmp_path, name, content, reason):
    first = encode(small, tmp_path / "cache", progress=False)
    expected = decoded(first)
    (first.directory / name).unlink()
    if content is not None:
        (first.directory / name).write_bytes(content)
    with pytest.warns(UserWarning, match=f"{reason}.*; encoding again"):
        again = encode(small, tmp_path / "cache", progress=False)
    assert decoded(again) == expected
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [again.directory.name]


def test_bad_ids_are_refused(small, tmp_path):
    found = encode(small, tmp_path / "cache", progress=False)
    shard = np.load(found.directory / "tokens_00000.npy", mmap_mode="r+")
    shard[4] = 3
    shard.flush()
    with pytest.raises(InputError, match=r"tokens_00000.npy .* word id 3 at position 1 is outside"):
        found.read(3, 6)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 7), (3, 2)])
def test_reading_outside_is_refused(small, tmp_path, start, stop):
    found = encode(small, tmp_path / "cache", progress=False)
    with pytest.raises(IndexError, match="is outside the corpus of 6 words"):
        found.read(start, stop)


def test_an_interrupted_run_leaves_nothing(small, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(encode_module, "rank", interrupt)
    with pytest.raises(KeyboardInterrupt):
        encode(small, tmp_path / "cache", progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_processes_at_once(small, tmp_path, monkeypatch):
    build = encode_module._build

    def build_while_another_finishes(*args):
        monkeypatch.setattr(encode_module, "_build", build)
        encode(small, tmp_path / "cache", progress=False)
        return build(*args)

    monkeypatch.setattr(encode_module, "_build", build_while_another_finishes)
    found = encode(small, tmp_path / "cache", progress=False)
    assert found.words == 6
    assert list((tmp_path / "cache").iterdir()) == [found.directory]


def test_a_file_that_changes_meanwhile_is_refused(small, tmp_path, monkeypatch):
    build = encode_module._build

    def build_and_change(*args):
        small.files[0].write_text("changed")
        return build(*args)

    monkeypatch.setattr(encode_module, "_build", build_and_change)
    with pytest.raises(InputError, match="a file changed while it was being read"):
        encode(small, tmp_path / "cache", progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_empty_corpus(tmp_path):
    (tmp_path / "blank.txt").write_text("\n  \n...\n")
    corpus = open_corpus([str(tmp_path / "blank.txt")], tmp_path)
    with pytest.raises(InputError, match="blank.txt: no words in 1 files"):
        encode(corpus, tmp_path / "cache", progress=False)


def test_a_cache_that_cannot_be_made(small, tmp_path):
    with pytest.raises(InputError, match="small.txt: cannot keep encoded text here: File exists"):
        encode(small, small.files[0], progress=False)


@pytest.mark.data
def test_simple_wikipedia(data_dir, tmp_path):
    found = encode(open_corpus(["simplewiki"], data_dir), tmp_path, progress=False)
    assert (found.words, len(found.vocabulary), len(found.documents)) == (
        17_187_139,
        270_436,
        112_229,
    )
    assert int(np.count_nonzero(found.vocabulary.counts >= 5)) == 78_621
    start = " ".join(found.vocabulary.words[i] for i in found.read(0, 8))
    assert start == "april april is the fourth month of the"
    manifest = json.loads((found.directory / "manifest.json").read_text())
    assert manifest["corpus"] == "simplewiki"
