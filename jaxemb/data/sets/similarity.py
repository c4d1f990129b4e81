"""Word similarity sets: WordSim-353, MEN, rare words, SimVerb-3500; categories."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.archives import Member, read_members
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError

_FOLDER = Path("wordsim")
# The authors' files: where the score stands and what they are called here.
_ORIGINALS = {
    "wordsim_similarity_goldstandard.txt": (2, "sim_wordsim353-sim.csv"),
    "wordsim_relatedness_goldstandard.txt": (2, "sim_wordsim353-rel.csv"),
    "MEN_dataset_lemma_form_full": (2, "sim_men.csv"),
    "rw.txt": (2, "sim_rw.csv"),
    "SimVerb-3500.txt": (3, "sim_simverb-3500.csv"),
}
# Files of the repository word-benchmarks of Vecto, which are laid out as ours.
_TABLES = {
    "word-similarity/monolingual/en/wordsim353-sim.csv": "sim_wordsim353-sim.csv",
    "word-similarity/monolingual/en/wordsim353-rel.csv": "sim_wordsim353-rel.csv",
    "word-similarity/monolingual/en/men.csv": "sim_men.csv",
    "word-similarity/monolingual/en/rw.csv": "sim_rw.csv",
    "word-similarity/monolingual/en/simverb-3500.csv": "sim_simverb-3500.csv",
    "word-similarity/cross-lingual/en-de/wordsim353.csv": "xsim_en-de_wordsim353.csv",
    "word-categorization/monolingual/en/ap.csv": "cat_ap.csv",
    "word-categorization/monolingual/en/bless.csv": "cat_bless.csv",
    "word-categorization/monolingual/en/essli-2008.csv": "cat_essli-2008.csv",
    "semantic-relation/monolingual/en/bless.csv": "rel_bless.csv",
    "outlier-detection/monolingual/en/8-8-8.csv": "outlier_8-8-8.csv",
}
_SOURCES = re.compile(f"(?:^|/)({'|'.join(map(re.escape, [*_ORIGINALS, *_TABLES]))})$")


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the tables that `find_word_sets` reads, from the authors' files or those of Vecto.

    Args:
      paths: what was fetched.
      folder: where they go.

    Raises:
      InputError: at a line that is no pair of words with a score, and if there is no file.
    """
    target = folder / _FOLDER
    target.mkdir()
    for member in read_members(paths, _SOURCES, most=1 << 24):
        if table := _TABLES.get(member.found[1]):
            (target / table).write_bytes(member.data)
        else:
            column, name = _ORIGINALS[member.found[1]]
            _write(target / name, member, column)
    if not any(target.iterdir()):
        given = ", ".join(map(str, paths))
        raise InputError(f"{given}: has none of {', '.join([*_ORIGINALS, *_TABLES])}")


def _write(path: Path, member: Member, column: int) -> None:
    rows = [line.split() for line in member.data.decode("utf-8", "replace").splitlines()]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["", "word1", "word2", "similarity"])
        for number, row in enumerate(filter(None, rows)):
            if len(row) <= column:
                raise InputError(
                    f"{member.name}: row {number + 1}: expected two words and a score, found "
                    f"{' '.join(row)[:80]!r}"
                )
            table.writerow([number, row[0], row[1], row[column]])


SOURCE = NamedSet(
    name="similarity",
    what="WordSim-353, MEN, rare words, SimVerb-3500: 8,989 pairs of words",
    license="CC BY 4.0 (WordSim-353), CC BY 2.0 (MEN), others not stated",
    source="a clone or the zip archive of https://github.com/vecto-ai/word-benchmarks, which has "
    "categories, too; or ws353simrel.tar.gz, MEN.tar.gz, rw.zip, simverb-3500-data.zip of the "
    "authors",
    megabytes=1,
    files=tuple(f"wordsim/{name}" for _, name in _ORIGINALS.values()),
    convert=convert,
    check=find_word_sets,
    # As in GluonNLP.
    downloads=(
        Download(
            "http://alfonseca.org/pubs/ws353simrel.tar.gz",
            "sha1:1b9ca7f4d61682dea0004acbd48ce74275d5bfff",
        ),
        Download(
            "https://staff.fnwi.uva.nl/e.bruni/resources/MEN.tar.gz",
            "sha1:3c4af1b7009c1ad75e03562f7f7bc5f51ff3a31a",
        ),
        Download(
            "http://www-nlp.stanford.edu/~lmthang/morphoNLM/rw.zip",
            "sha1:bf9c5959a0a2d7ed8e51d91433ac5ebf366d4fb9",
        ),
        Download(
            "http://people.ds.cam.ac.uk/dsg40/paper/simverb/simverb-3500-data.zip",
            "sha1:8c43b0a34823def29ad4c4f4d7e9d3b91acf8b8d",
        ),
    ),
)
