"""Damaged and random files make every reader raise InputError or give a sound table."""

import io as bytes_io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import glove_text
from jaxemb.io.word_table import check

WORDS = ["the", "straße", "日本", "x"]
VECTORS = np.random.default_rng(5).standard_normal((4, 3)).astype(np.float32)
READERS = ["v.txt", "g.txt", "v.vec", "v.bin", "v.safetensors", "v.npz", "c.npz", "v.npy", "v"]


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The bytes of a sound file of each format; of the folder, the two files that are read."""
    folder = tmp_path_factory.mktemp("valid")
    for name in READERS:
        (glove_text if name == "g.txt" else io).write(folder / name, WORDS, VECTORS)
    file = bytes_io.BytesIO()
    np.savez_compressed(file, words=np.array(WORDS), vectors=VECTORS)
    parts = [(folder / "v" / name).read_bytes() for name in ("vectors.tsv", "metadata.tsv")]
    files = {name: [(folder / name).read_bytes()] for name in READERS[:-1]}
    return files | {"c.npz": [file.getvalue()], "v": parts}


place = st.floats(0, 1, exclude_max=True)  # of a file's length
flip = st.tuples(st.just("flip"), place, st.integers(0, 7))
overwrite = st.tuples(st.just("overwrite"), place, st.binary(min_size=1, max_size=8))
insert = st.tuples(st.just("insert"), place, st.binary(min_size=1, max_size=8))
digits = st.tuples(st.just("overwrite"), place, st.sampled_from([b"9", b"-", b"nan", b" ", b"\n"]))
truncate = st.tuples(st.just("truncate"), place, st.none())
duplicate = st.tuples(st.just("duplicate"), place, place)
mutation = st.one_of(flip, overwrite, insert, digits, truncate, duplicate)


def mutate(data, kind, where, what):
    at = int(where * len(data))
    if kind == "flip" and data:
        return data[:at] + bytes([data[at] ^ 1 << what]) + data[at + 1 :]
    if kind == "overwrite":
        return data[:at] + what + data[at + len(what) :]
    if kind == "insert":
        return data[:at] + what + data[at:]
    if kind == "duplicate":
        return data[: max(at, int(what * len(data)))] + data[at:]
    return data[:at]


@pytest.mark.parametrize("name", READERS)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=1112,  # 10,008 over the nine
    database=None,
    # The fixtures hold one folder and constants: each example replaces the whole file.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    damage=st.one_of(st.binary(max_size=100), *[st.lists(mutation, min_size=1, max_size=3)] * 3),
    second=st.booleans(),
    options=st.sampled_from([{}, {"lenient": True}, {"lenient": True, "errors": "replace"}]),
)
def test_no_reader_lets_another_error_or_an_unsound_table_through(
    name, damage, second, options, valid, tmp_path
):
    parts = list(valid[name])
    index = int(second and name == "v")
    if isinstance(damage, bytes):
        parts[index] = damage
    else:
        for step in damage:
            parts[index] = mutate(parts[index], *step)
    path = tmp_path / name
    if name == "v":
        path.mkdir(exist_ok=True)
        (path / "vectors.tsv").write_bytes(parts[0])
        (path / "metadata.tsv").write_bytes(parts[1])
    else:
        path.write_bytes(parts[0])
    try:
        table = io.read(path, **options)
    except InputError as error:
        message = str(error)
    else:
        check(table.words, table.vectors, path)
        assert isinstance(table.words, list)
        return
    assert str(path) in message
    assert "\n" not in message  # experiments print it as one line
    assert len(message) < 1000
