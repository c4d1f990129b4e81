import collections

import numpy as np
import pytest
from gensim.models.phrases import Phrases as Peer
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data import phrases as module
from jaxemb.data.corpora import open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.phrases import find_phrases, join_phrases


def _encoded(folder, documents):
    path = folder / "text.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in documents))
    return encode(open_corpus([str(path)], folder), folder / "cache", progress=False)


def _decoded(corpus):
    ends = [*corpus.documents[1:].tolist(), corpus.words]
    return [
        [corpus.vocabulary.words[i] for i in corpus.read(start, end)]
        for start, end in zip(corpus.documents.tolist(), ends, strict=True)
    ]


def _scores_by_loops(documents, discount):
    """The paper's score, times the number of words."""
    words = collections.Counter(word for words in documents for word in words)
    pairs = collections.Counter(pair for words in documents for pair in zip(words, words[1:]))  # noqa: B905
    return {
        (a, b): (count - discount) * words.total() / (words[a] * words[b])
        for (a, b), count in pairs.items()
    }


def _join_by_loops(documents, scores, threshold):
    joined = []
    for words in documents:
        line, i = [], 0
        while i < len(words):
            if scores.get(tuple(words[i : i + 2]), -1) > threshold:
                line.append("_".join(words[i : i + 2]))
                i += 2
            else:
                line.append(words[i])
                i += 1
        joined.append(line)
    return joined


DOCUMENTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "dd", "é"]), min_size=1, max_size=9),
    min_size=1,
    max_size=8,
)


@given(
    documents=DOCUMENTS,
    at_a_time=st.integers(1, 9),
    threshold=st.sampled_from([0.0, 0.6, 1.5, 4.0]),
    discount=st.integers(0, 2),
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_is_the_definition_whatever_is_read_at_a_time(
    tmp_path_factory, documents, at_a_time, threshold, discount
):
    folder = tmp_path_factory.mktemp("phrases")
    corpus = _encoded(folder, documents)
    scores = _scores_by_loops(documents, discount)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WORDS", at_a_time)
        found = find_phrases(corpus, threshold=threshold, discount=discount)
        joined = join_phrases(corpus, folder / "cache", threshold=threshold, discount=discount)
    names = [tuple(corpus.vocabulary.words[i] for i in pair) for pair in found.ids]
    expected = {pair: score for pair, score in scores.items() if score > threshold}
    assert dict(zip(names, found.scores.tolist(), strict=True)) == pytest.approx(expected)
    assert found.ids.tolist() == sorted(found.ids.tolist())
    assert _decoded(joined) == _join_by_loops(documents, scores, threshold)
    assert joined.sha256 == corpus.sha256


def _score(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    return (bigram_count - min_count) * corpus_word_count / worda_count / wordb_count


def test_agrees_with_gensim(tmp_path):
    rng = np.random.default_rng(2)
    words = np.array([f"w{i}" for i in range(40)])
    # Some words are followed by one of their own, most of the time.
    documents = []
    for _ in range(300):
        row = rng.integers(40, size=12)
        row[1:] = np.where(rng.random(11) < 0.2, (row[:-1] + 1) % 40, row[1:])
        documents.append(words[row].tolist())
    peer = Peer(documents, min_count=3, threshold=4.0, scoring=_score)
    joined = join_phrases(
        _encoded(tmp_path, documents), tmp_path / "cache", threshold=4.0, discount=3
    )
    assert _decoded(joined) == [peer[line] for line in documents]
    assert any("_" in word for word in joined.vocabulary.words)


def test_longer_phrases_and_what_is_kept(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    filler = [f"f{i}" for i in range(500)]
    documents = [[*rng.choice(filler, 5), "new", "york", "times"] for _ in range(100)]
    corpus = _encoded(tmp_path, documents)
    once = join_phrases(corpus, tmp_path / "cache", threshold=7.0, discount=5)
    assert once.vocabulary.words[0] == "new_york"
    twice = join_phrases(once, tmp_path / "cache", threshold=6.0, discount=5)
    assert twice.vocabulary.words[0] == "new_york_times"
    assert twice.sha256 == corpus.sha256
    monkeypatch.setattr(module, "find_phrases", None)
    again = join_phrases(corpus, tmp_path / "cache", threshold=7.0, discount=5)
    assert again.directory == once.directory


def test_nothing_to_join(tmp_path):
    corpus = _encoded(tmp_path, [["a", "b"], ["c"]])
    assert len(find_phrases(corpus, threshold=1e9, discount=0).ids) == 0
    joined = join_phrases(corpus, tmp_path / "cache", threshold=1e9, discount=0)
    assert _decoded(joined) == [["a", "b"], ["c"]]
