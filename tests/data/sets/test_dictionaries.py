import pytest

from jaxemb.data.sets import dictionaries
from jaxemb.errors import InputError


@pytest.fixture
def fetched(tmp_path):
    files = {
        "xling/bli_datasets/en-de/yacle.train.freq.500.en-de.tsv": "of\tvon\nto\tzu\n",
        "muse/en-de.0-5000.txt": "the die\nthe der\n",
        "muse/en-de.5000-6500.txt": "caf\u00e9\tCaf\u00e9\r\n",
        "muse/en-de.txt": "all of them\n",
    }
    for name, text in files.items():
        path = tmp_path / "fetched" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return tmp_path / "fetched"


def test_dictionaries_are_written_alike(tmp_path, fetched):
    dictionaries.convert([fetched], tmp_path)
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "bli").iterdir()} == {
        "yacle.train.freq.500.en-de.tsv": "of\tvon\nto\tzu\n",
        "muse.train.5k.en-de.tsv": "the\tdie\nthe\tder\n",
        "muse.test.1500.en-de.tsv": "caf\u00e9\tCaf\u00e9\n",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"the die\nthe\n", "en-de.0-5000.txt: line 2: expected two words, found 'the'"),
        (b"the die\nof v\xffn\n", "en-de.0-5000.txt: byte 0xff is not UTF-8 .*line 2"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path, fetched, content, message):
    (fetched / "muse" / "en-de.0-5000.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        dictionaries.convert([fetched], tmp_path)


@pytest.mark.data
def test_the_real_dictionaries_stay_as_they_are(data_dir, tmp_path):
    dictionaries.convert([data_dir / "bli"], tmp_path)
    for path in (data_dir / "bli").iterdir():
        assert (tmp_path / "bli" / path.name).read_bytes() == path.read_bytes()
