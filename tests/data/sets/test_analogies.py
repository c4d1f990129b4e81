import hashlib
import zipfile

import pytest

from jaxemb.data.prepare import prepare
from jaxemb.data.sets import analogies
from jaxemb.errors import InputError

QUESTIONS = ": family\nboy girl he she\n"


def test_questions_also_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "source-archive.zip", "w") as archive:
        archive.writestr("word2vec/trunk/questions-words.txt", QUESTIONS)
        archive.writestr("word2vec/trunk/questions-phrases.txt", "x")
    for fetched in ("source-archive.zip", "data/questions-words.txt"):
        (path,) = prepare(analogies.SOURCE, tmp_path / "data", [tmp_path / fetched])
        assert path == tmp_path / "data" / "questions-words.txt"
        assert path.read_text() == QUESTIONS


def test_other_files_are_refused(tmp_path):
    (tmp_path / "questions-words.txt").write_text("<html>\n")
    with pytest.raises(InputError, match="gives no analogies: questions-words.txt: line 1: exp"):
        prepare(analogies.SOURCE, tmp_path / "data", [tmp_path / "questions-words.txt"])


@pytest.mark.data
def test_the_published_checksum_is_that_of_the_real_file(data_dir):
    (download,) = analogies.SOURCE.downloads
    digest = hashlib.sha1((data_dir / analogies.FILE).read_bytes()).hexdigest()
    assert download.checksum == f"sha1:{digest}"
