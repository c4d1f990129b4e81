import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import join
from jaxemb.experiments.harness import command
from pyarrow import parquet

from jaxemb import io
from jaxemb.errors import InputError

pytestmark = pytest.mark.usefixtures("private_cache")

COUNT = 120
NAMES = ("english", "french", "german")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three languages, each the same space, turned; no dictionary from French to German."""
    folder = tmp_path_factory.mktemp("languages")
    rng = np.random.default_rng(4)
    space = rng.normal(size=(COUNT, 8))
    for name in NAMES:
        turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
        vectors = (space @ turn + 0.05 * rng.normal(size=(COUNT, 8))).astype(np.float32)
        io.write(folder / f"{name}.npz", [f"{name}{i}" for i in range(COUNT)], vectors)
    for one, other in (("english", "french"), ("english", "german"), ("french", "german")):
        lines = [f"{one}{i}\t{other}{i}\n" for i in range(60)]
        (folder / f"{one[:2]}-{other[:2].replace('ge', 'de')}.tsv").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def ran(files, private_cache, tmp_path_factory):
    config = dataclasses.replace(
        join.SMOKE,
        vectors=tuple(files / path for path in join.SMOKE.vectors),
        dictionaries=tuple(files / path for path in join.SMOKE.dictionaries),
        tests=tuple(files / path for path in join.SMOKE.tests),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "run"),
    )
    join.run(config)
    return config


def test_each_two_languages_are_scored(ran):
    figures = json.loads((ran.common.out / "summary.json").read_text())
    assert figures["pairs_1_2"] == figures["pairs_1_3"] == 60
    assert "pairs_2_3" not in figures
    for pair in ("1_2", "1_3", "2_3"):
        assert figures[f"precision_{pair}"] > 0.95
    assert figures["near_on_map"] > 0.8


def test_all_languages_are_written_and_drawn(ran):
    tables = [io.read(ran.common.out / f"{number}.txt").vectors for number in (1, 2, 3)]
    for one in tables:
        assert np.mean((tables[0] @ one.T).argmax(axis=1) == np.arange(COUNT)) > 0.95
    table = parquet.read_table(ran.common.out / "map.parquet").to_pydict()
    assert table["class"] == list(NAMES) * ran.drawn
    assert (ran.common.out / "map.png").stat().st_size


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dictionaries": (join.SMOKE.dictionaries[0],)}, "dictionaries must be 2 to 3"),
        ({"vectors": join.SMOKE.vectors[:1]}, "two files of vectors or more are needed, found 1"),
        ({"tests": (join.SMOKE.tests[0],) * 4}, "tests must be at most 3"),
        ({"rounds": 0}, "rounds"),
    ],
)
def test_what_cannot_be_joined(change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(join.SMOKE, **change)
