import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxemb.data.spill import Spill

DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefghijkl"), max_size=5), min_size=1, max_size=4)


def add(spill: Spill, documents: list[list[str]]) -> bool:
    ids = np.array([spill.ids[word] for one in documents for word in one], np.int32)
    return spill.add(ids, np.array([len(one) for one in documents], np.int64))


def documents_of(spill: Spill) -> list[list[str]]:
    words = {number: word for word, number in spill.ids.items()}
    found = [words[i] for part in spill.parts(3) for i in part]
    return [list(one) for one in np.split(found, spill.documents()[1:])] if found else []


@given(pieces=st.lists(DOCUMENTS, max_size=6), file_ends=st.sets(st.integers(0, 5)))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_words_and_documents_come_back(tmp_path_factory, pieces, file_ends):
    spill = Spill(tmp_path_factory.mktemp("spill"))
    expected: list[list[str]] = [[]]
    for i, piece in enumerate(pieces):
        if i in file_ends:
            spill.begin_document()
            expected.append([])
        assert not add(spill, piece)
        expected[-1] = expected[-1] + piece[0]
        expected += [list(one) for one in piece[1:]]
    assert documents_of(spill) == [one for one in expected if one]
    assert spill.words == sum(map(len, expected))
    assert spill.counts.sum() == spill.words
    assert spill.notes() == []


@given(pieces=st.lists(DOCUMENTS, min_size=1, max_size=12), most=st.integers(2, 8))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_beyond_so_many_words_the_rarest_are_forgotten(tmp_path_factory, pieces, most):
    spill = Spill(tmp_path_factory.mktemp("spill"), most)
    # The same in plain lists: words, None where one is forgotten; rarest first, till half is left.
    held: list[list] = [[]]
    lost = 0
    for piece in pieces:
        forgot = add(spill, piece)
        held[-1] = held[-1] + piece[0]
        held += [list(one) for one in piece[1:]]
        counts = {word: sum(one.count(word) for one in held) for one in held for word in one}
        assert forgot == (len(counts) > most)
        if forgot:
            rare = 0
            while sum(count > rare for count in counts.values()) > most // 2:
                rare += 1
            lost += sum(count for count in counts.values() if count <= rare)
            held = [[word for word in one if counts[word] > rare] for one in held]
        assert documents_of(spill) == [one for one in held if one]
        assert spill.words == sum(map(len, held))
    number = {word: sum(one.count(word) for one in held) for word in spill.ids}
    assert {word: spill.counts[i] for word, i in spill.ids.items()} == number
    if lost:
        ((level, sentence),) = spill.notes()
        assert level == "warning"
        assert f"more than {most} different words" in sentence
        assert f"with {lost} occurrences" in sentence
