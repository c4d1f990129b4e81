import gzip

import pytest

from jaxemb.data.sets import tatoeba
from jaxemb.errors import InputError


def test_pairs_are_written_without_who_wrote_them(tmp_path):
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    text = "Go.\tGeh.\tCC-BY 2.0 (France) Attribution: tatoeba.org\nHi.\tHallo!\tCC-BY\n"
    (fetched / "deu.txt").write_text(text, encoding="utf-8")
    (fetched / "_about.txt").write_text("what this is", encoding="utf-8")
    tatoeba.convert([fetched], tmp_path)
    path, pairs = tatoeba.read(tmp_path, "de")
    assert pairs == [("Go.", "Geh."), ("Hi.", "Hallo!")]
    assert path.name == "eng-deu.tsv.gz"
    with pytest.raises(InputError, match=r"eng-fra.tsv.gz: no such file. `jaxemb data tatoeba`"):
        tatoeba.read(tmp_path, "fr")


@pytest.mark.parametrize(
    ("content", "message"),
    [("Go.\tGeh.\nonly one\n", "deu.txt: line 2: expected two sentences"), (None, "has no pairs")],
)
def test_what_is_no_pair_is_named(tmp_path, content, message):
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    if content:
        (fetched / "deu.txt").write_text(content)
    with pytest.raises(InputError, match=message):
        tatoeba.convert([fetched], tmp_path)


@pytest.mark.data
def test_the_real_pairs_stay_as_they_are(data_dir, tmp_path):
    fetched = tmp_path / "fra.txt"
    path, pairs = tatoeba.read(data_dir, "fr")
    assert len(pairs) == 142_782
    fetched.write_bytes(gzip.decompress(path.read_bytes()))
    tatoeba.convert([fetched], tmp_path)
    assert tatoeba.read(tmp_path, "fr")[1] == pairs
