import pytest

from jaxemb.data.dictionaries import read_dictionary
from jaxemb.errors import InputError


def write(tmp_path, content):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_pairs_are_read_in_their_order(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    content = "\ufeffthe\tle\nthe\tla\r\n\nnew york\tnouvelle york\t0.9\nA\u2028line.\tUne ligne.\n"
    assert read_dictionary(write(tmp_path, content)) == [
        ("the", "le"),
        ("the", "la"),
        ("new york", "nouvelle york"),
        ("A\u2028line.", "Une ligne."),
    ]
    told = [record.message.split(": ", 1)[1] for record in caplog.records]
    assert told == ["blank lines left out: 1", "texts after a second tab left out: 1"]
    caplog.clear()
    assert read_dictionary(write(tmp_path, "cat chat\ndog  chien\n")) == [
        ("cat", "chat"),
        ("dog", "chien"),
    ]
    assert not caplog.records


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\nc\n", "line 2: expected a word and its translation"),
        ("a\tb\nc d\n", "line 2: .* with a tab between them, found 'c d'"),
        ("a b c\n", "line 1: expected"),
        ("a\t\n", "line 1: expected"),
        ("\n \n", "has no pair of words"),
        ("", "has no pair of words"),
        (b"caf\xe9\tcoffee\n", "byte 0xe9 is not UTF-8"),
    ],
)
def test_what_is_no_dictionary(tmp_path, content, message):
    with pytest.raises(InputError, match=f"pairs.tsv: .*{message}"):
        read_dictionary(write(tmp_path, content))
