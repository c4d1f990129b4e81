from pathlib import Path

import pytest

from jaxemb.data.word_pairs import (
    parse_relations,
    read_countries,
    read_relations,
    relations_of,
)
from jaxemb.data.word_sets import read_analogies
from jaxemb.errors import InputError


def test_pairs_and_analogies(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(
        "\ufeffMan woman\n\nking\tqueen\nman woman\n: city in state\nmiami florida dallas texas\n"
        "dallas texas tampa florida\n",
        encoding="utf-8",
    )
    first, second = read_relations(path)
    assert first == ("mine", [("man", "woman"), ("king", "queen")], [])
    assert second.name == "city in state"
    assert second.pairs == [("miami", "florida"), ("dallas", "texas"), ("tampa", "florida")]
    assert second.questions == [
        ("miami", "florida", "dallas", "texas"),
        ("dallas", "texas", "tampa", "florida"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b\nc\n", "line 2: expected two different words, or the four of an analogy, found 'c'"),
        ("a b c\n", "line 1: expected two different words"),
        ("a A\n", "line 1: expected two different words"),
        ("a b c c\n", "line 1: expected two different words"),
        (":  \na b\n", "line 1: a heading ': name' of its own must begin each relation, found ':'"),
        (": x\na b\n: x\nc d\n", "line 3: a heading .* found ': x' again"),
        (": x\n: y\na b\n", "no pairs below 'x'"),
        ("\n", "no pairs"),
    ],
)
def test_bad_lines_are_named(text, message):
    with pytest.raises(InputError, match=message):
        parse_relations(text, Path("mine.txt"))


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"a b\n\xff c\n")
    with pytest.raises(InputError, match="0xff is not UTF-8"):
        read_relations(path)


def test_countries(tmp_path):
    path = tmp_path / "countries.csv"
    path.write_text(
        "code,country,capital,adjective,region\n1,France,Paris,French,europe\n"
        '2,"Costa Rica",San José,Costa Rican,\n3,Djibouti,Djibouti,Djiboutian,\n4,Spratly,,,\n'
    )
    assert read_countries(path) == [
        ("country-capital", [("france", "paris"), ("costa_rica", "san_josé")], []),
        (
            "country-adjective",
            [("france", "french"), ("costa_rica", "costa_rican"), ("djibouti", "djiboutian")],
            [],
        ),
    ]
    path.write_text("country,capital\n")
    with pytest.raises(InputError, match="line 1: no column named 'adjective'"):
        read_countries(path)
    path.write_text("country,capital,adjective\nFrance,Paris\n")
    with pytest.raises(InputError, match="line 2: expected 3 columns"):
        read_countries(path)


@pytest.mark.data
def test_real_files(data_dir):
    relations = relations_of(read_analogies(data_dir / "questions-words.txt"))
    assert len(relations) == 14
    assert sum(len(relation.questions) for relation in relations) == 19544
    assert len(relations[0].pairs) == 23
    assert ("paris", "france") in relations[0].pairs
    capitals, adjectives = read_countries(data_dir / "text_extra" / "countries.csv")
    assert ("costa_rica", "san_josé") in capitals.pairs
    assert len(adjectives.pairs) > 200
