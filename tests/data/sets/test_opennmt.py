import pytest

from jaxemb.data.captions import read_captions
from jaxemb.data.sets import opennmt


def test_sentences_are_written(tmp_path):
    fetched = tmp_path / "fetched" / "data"
    fetched.mkdir(parents=True)
    (fetched / "src-train.txt").write_text("It works .\n")
    (fetched / "tgt-train.txt").write_text("Es geht .\n")
    (fetched / "src-val.txt").write_text("More .\n")
    opennmt.convert([fetched], tmp_path)
    assert read_captions(opennmt.files(tmp_path)) == [["It works .", "Es geht ."]]


@pytest.mark.data
def test_the_real_sentences(data_dir, tmp_path):
    rows = read_captions(opennmt.files(data_dir), wordless=True)
    assert len(rows) == 10_000
    opennmt.convert([data_dir / "opennmt_ende"], tmp_path)
    assert read_captions(opennmt.files(tmp_path), wordless=True) == rows
