import gzip
import itertools
import zipfile

import pytest

from jaxemb.data.captions import read_captions
from jaxemb.data.prepare import find, prepare
from jaxemb.data.sets import multi30k
from jaxemb.errors import InputError


def write_repository(path, changes=()):
    """The zip archive that GitHub makes of the authors' repository, with few captions."""
    files = {}
    for split, language in itertools.product(("train", "val", "test_2016"), ("en", "de")):
        for number in range(1, 6):
            name = f"task2/raw/{split}.{number}.{language}"
            files[name] = f"A {split} cat {number}\nA dog {language}\n"
    files["task1/raw/train.fr"] = "Un chat\n"
    files["task1/tok/train.lc.norm.tok.fr"] = "un chat\n"
    files |= dict(changes)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            packed = name if "/tok/" in name else f"{name}.gz"
            data = text.encode() if "/tok/" in name else gzip.compress(text.encode())
            archive.writestr(f"dataset-master/data/{packed}", data)


def test_the_repository_of_the_authors(tmp_path):
    write_repository(tmp_path / "dataset-master.zip")
    written = prepare(multi30k.SOURCE, tmp_path / "data", [tmp_path / "dataset-master.zip"])
    assert len(written) == 31
    rows = read_captions(multi30k.files(tmp_path / "data", "val", "de"))
    assert rows[0] == [f"A val cat {number}" for number in range(1, 6)]
    assert rows[1] == ["A dog de"] * 5
    assert gzip.decompress((tmp_path / "data/multi30k/train.fr.gz").read_bytes()) == b"Un chat\n"
    assert len(find(multi30k.SOURCE, tmp_path / "data")) == 30
    # What was made is taken like what was fetched.
    again = prepare(multi30k.SOURCE, tmp_path / "again", [tmp_path / "data" / "multi30k"])
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_captions_that_do_not_fit_together_are_refused(tmp_path):
    changes = {"task2/raw/val.3.de": "Only one\n"}
    write_repository(tmp_path / "dataset-master.zip", changes)
    with pytest.raises(InputError, match="gives no multi30k: multi30k/task2/val.3.de.gz: 1 lines"):
        prepare(multi30k.SOURCE, tmp_path / "data", [tmp_path / "dataset-master.zip"])


@pytest.mark.data
def test_the_real_captions_stay_as_they_are(data_dir, tmp_path):
    multi30k.convert([data_dir / "multi30k"], tmp_path)
    made = sorted((tmp_path / "multi30k").rglob("*.gz"))
    assert len(made) == 48
    for path in made:
        real = data_dir / path.relative_to(tmp_path)
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(real.read_bytes())
