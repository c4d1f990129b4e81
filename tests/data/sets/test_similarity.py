import io
import tarfile
import zipfile

import numpy as np
import pytest

from jaxemb.data.sets import similarity
from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError

ORIGINALS = {
    "ws/wordsim_similarity_goldstandard.txt": "tiger\tcat\t7.35\r\ntiger\ttiger\t10.00\r\n",
    "ws/wordsim_relatedness_goldstandard.txt": "computer\tkeyboard\t7.62\n",
    "ws/wordsim353_agreed.txt": "# another file\n",
    "MEN/MEN_dataset_lemma_form_full": "sun-n sunlight-n 50.000000\nred-j color-n 20\n",
    "MEN/MEN_dataset_natural_form_full": "sun sunlight 50.000000\n",
    "rw/rw.txt": "squishing\tsquirt\t5.88\t7\t5\nna\u00efvet\u00e9\tchildishness\t6\t1\n",
    "data/SimVerb-3500.txt": "take\tremove\tV\t6.81\tSYNONYMS\n",
    "data/SimVerb-3500-stats.txt": "x\n",
}
READ = {
    "wordsim353-sim": ([("tiger", "cat"), ("tiger", "tiger")], [7.35, 10]),
    "wordsim353-rel": ([("computer", "keyboard")], [7.62]),
    "men": ([("sun", "sunlight"), ("red", "color")], [50, 20]),
    "rw": ([("squishing", "squirt"), ("na\u00efvet\u00e9", "childishness")], [5.88, 6]),
    "simverb-3500": ([("take", "remove")], [6.81]),
}


def write_tape(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def test_the_files_of_the_authors_are_converted(tmp_path):
    write_tape(tmp_path / "all.tar.gz", ORIGINALS)
    similarity.convert([tmp_path / "all.tar.gz"], tmp_path)
    found = {one.name: one for one in find_word_sets(tmp_path).similarity}
    assert found.keys() == READ.keys()
    for name, (pairs, scores) in READ.items():
        assert found[name].pairs == pairs
        np.testing.assert_array_equal(found[name].scores, scores)


def test_one_of_them_will_do(tmp_path):
    (tmp_path / "rw.txt").write_text(ORIGINALS["rw/rw.txt"], encoding="utf-8")
    similarity.convert([tmp_path / "rw.txt"], tmp_path)
    assert [one.name for one in find_word_sets(tmp_path).similarity] == ["rw"]


def test_a_copy_of_vecto_s_tables(tmp_path):
    table = ",word1,word2,similarity\n0,a,b,5\n"
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        top = "word-benchmarks-master"
        archive.writestr(f"{top}/word-similarity/monolingual/en/men.csv", table)
        archive.writestr(f"{top}/word-similarity/monolingual/ru/men.csv", "other")
        archive.writestr(
            f"{top}/word-categorization/monolingual/en/ap.csv", ",category,word\n0,bird,owl\n"
        )
    similarity.convert([tmp_path / "m.zip"], tmp_path)
    assert (tmp_path / "wordsim" / "sim_men.csv").read_text() == table
    assert [one.words for one in find_word_sets(tmp_path).categories] == [["owl"]]


def test_a_line_without_a_score_is_named(tmp_path):
    (tmp_path / "rw.txt").write_text("squishing\tsquirt\t5.88\n\nsquishing squirt\n")
    with pytest.raises(InputError, match="rw.txt: row 2: expected two words and a score, found 's"):
        similarity.convert([tmp_path / "rw.txt"], tmp_path)


@pytest.mark.data
def test_the_real_sets_from_the_original_form(data_dir, tmp_path):
    real = {one.name: one for one in find_word_sets(data_dir).similarity}
    files = {}
    for name, (column, table) in similarity._ORIGINALS.items():
        one = real[table.removeprefix("sim_").removesuffix(".csv")]
        between = ["V"] * (column - 2)
        files[name] = "".join(
            "\t".join([*pair, *between, repr(float(score))]) + "\n"
            for pair, score in zip(one.pairs, one.scores, strict=True)
        )
    write_tape(tmp_path / "all.tar.gz", files)
    similarity.convert([tmp_path / "all.tar.gz"], tmp_path)
    made = find_word_sets(tmp_path).similarity
    assert len(made) == len(real)
    for one in made:
        assert one.pairs == real[one.name].pairs
        np.testing.assert_array_equal(one.scores, real[one.name].scores)
