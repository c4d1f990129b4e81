"""What is saved is loaded as it was, and nothing else is."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb import io
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError
from jaxemb.io import WordVectors, saved_fit
from jaxemb.models.encoders import MlpEncoder
from jaxemb.models.subword_table import SubwordTable
from jaxemb.training.state import History

VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)


def saved(folder: Path, value: Any, **given) -> Any:
    io.save(folder, value)
    return io.load(folder, **given)


class Fitted(NamedTuple):
    vectors: WordVectors
    params: dict[str, Any]
    history: History = History()


@dataclasses.dataclass(frozen=True)
class Options:
    rate: float = 0.5
    name: str | None = None
    made: int = dataclasses.field(default=3, init=False)


class Encoder(nn.Module):
    """A user's own."""

    inner: nn.Module
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        return self.inner(x).astype(self.dtype)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -(10**30),
        0.1,
        -math.inf,
        "straße\ud800\n",
        Path("runs/x"),
        [1, [2.5, None]],
        (1, ("a",), []),
        {"a": 1, 3: {"class": "x"}, ("b", 2): ()},
        History(7, VECTORS[0], 1.5, "done", ("a", "b")),
        Options(rate=2),
    ],
)
def test_plain_values(tmp_path, value):
    found = saved(tmp_path, value, classes=[Options])
    assert type(found) is type(value)
    if isinstance(value, History):
        assert found._replace(loss=0) == value._replace(loss=0)
        np.testing.assert_array_equal(found.loss, value.loss)
    else:
        assert found == value


def test_nan(tmp_path):
    assert math.isnan(saved(tmp_path, math.nan))


@pytest.mark.parametrize(
    "array",
    [
        VECTORS,
        VECTORS.T,
        VECTORS[:, ::2],
        VECTORS.astype(">f4"),
        VECTORS.astype(np.float64),
        VECTORS.astype(jnp.bfloat16),
        VECTORS.astype(np.int8),
        np.zeros((0, 3), np.uint64),
        np.array(2.5),
        np.array([True, False]),
        np.array([["a", "bcd"], ["", "straße"]]),
        np.zeros((0, 2), "U3"),
        np.float32(0.1),
        np.bool_(True),
        jnp.asarray(VECTORS),
        jnp.asarray(VECTORS, jnp.bfloat16),
        jnp.asarray(3),
    ],
    ids=lambda array: f"{type(array).__name__} {array.dtype} {array.shape}",
)
def test_arrays_come_back_bit_for_bit(tmp_path, array):
    found = saved(tmp_path, [array])[0]
    assert type(found) is type(array)
    assert (found.dtype, found.shape) == (array.dtype.newbyteorder("="), array.shape)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(array))


def test_random_keys(tmp_path):
    keys = {"one": jax.random.key(7), "many": jax.random.split(jax.random.key(1, impl="rbg"), 3)}
    found = saved(tmp_path, keys)
    for name, key in keys.items():
        assert found[name].dtype == key.dtype
        np.testing.assert_array_equal(*map(jax.random.key_data, (found[name], key)))


def test_a_fit_of_nested_parts(tmp_path):
    words = ["b", "a"]
    table = SubwordTable(words, np.ones((5, 3), np.float32), 2, 3)
    fitted = Fitted(WordVectors(words, VECTORS, table), {"out": (jnp.ones(2),), "size": 2})
    found = saved(tmp_path / "new" / "folder", fitted, classes=[Fitted])
    assert type(found) is Fitted
    assert found.vectors.words == words
    np.testing.assert_array_equal(found.vectors["ab"], fitted.vectors["ab"])
    assert found.params["size"] == 2
    assert isinstance(found.params["out"][0], jax.Array)
    vocabulary = saved(tmp_path, Vocabulary(words, np.array([3, 2])))
    assert vocabulary.ids == {"b": 0, "a": 1}


def test_flax_modules(tmp_path):
    module = Encoder(MlpEncoder(dim=3), dtype=jnp.bfloat16)
    variables = module.init(jax.random.key(0), jnp.ones((1, 4)))
    found = saved(tmp_path, {"module": module, "variables": variables}, classes=[Encoder])
    assert found["module"] == module
    x = jnp.linspace(-1, 1, 8).reshape(2, 4)
    np.testing.assert_array_equal(
        found["module"].apply(found["variables"], x), module.apply(variables, x)
    )


def test_an_array_that_is_there_twice_is_stored_once(tmp_path):
    io.save(tmp_path, {"a": VECTORS, "b": (VECTORS,)})
    (path,) = tmp_path.glob("arrays-*")
    assert path.stat().st_size < 2 * VECTORS.nbytes + 100


def test_nothing_but_two_files(tmp_path):
    (tmp_path / "other.txt").touch()
    for value in (VECTORS, VECTORS, VECTORS + 1):
        io.save(tmp_path, {"a": value})
        names = sorted(path.name for path in tmp_path.iterdir())
        assert len(names) == 3
        assert names[0].startswith("arrays-")
        assert names[1:] == ["fitted.json", "other.txt"]
    io.save(tmp_path, "no arrays")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fitted.json", "other.txt"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"loss": [len]}, r"fitted\['loss'\]\[0\]: builtin_function_or_method cannot be saved"),
        (Options(name={1}), "fitted.name: set cannot be saved"),
        (np.array([None]), "fitted: an array of object cannot be saved"),
        (np.ones(2, complex), "fitted: an array of complex128 cannot be saved"),
        (Options, "fitted: type cannot be saved"),
    ],
)
def test_what_cannot_be_saved(tmp_path, value, message):
    with pytest.raises(InputError, match=message):
        io.save(tmp_path / "x", value)
    assert not (tmp_path / "x").exists()


def test_a_class_of_one_s_own_has_to_be_given(tmp_path):
    io.save(tmp_path, Options())
    expected = rf"needs the class Options of {Options.__module__}.*classes=\[Options\]"
    with pytest.raises(InputError, match=expected):
        io.load(tmp_path)
    moved = dataclasses.make_dataclass("Options", ["rate", "name"])
    assert io.load(tmp_path, classes=[moved]) == moved(0.5, None)


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "fitted.json"
    read = json.loads(path.read_text().replace(old, new))
    body = {name: read[name] for name in ("fitted", "arrays")}
    path.write_text(json.dumps(read | {"sha256": saved_fit._sha256_of(body)}))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jaxemb.training.state:Gone", "which is missing: .*another version of jaxemb"),
        ("jaxemb.no.such:Gone", "which is missing"),
        ("jaxemb.io.saved_fit:os.system", "is neither a NamedTuple nor a dataclass"),
        ("jaxemb.training.state:TrainState", "the fields of jaxemb.training.state:TrainState"),
        ("os:system", r"needs the class system of os; give it"),
        ("jaxembellish:X", r"needs the class X of jaxembellish; give it"),
    ],
)
def test_a_structure_that_names_another_class(tmp_path, name, message):
    io.save(tmp_path, History(3))
    rewrite(tmp_path, "jaxemb.training.state:History", name)
    with pytest.raises(InputError, match=message):
        io.load(tmp_path)


def test_a_structure_of_unknown_parts(tmp_path):
    io.save(tmp_path, (1,))
    rewrite(tmp_path, "tuple", "pickle")
    with pytest.raises(InputError, match="no structure that jaxemb.io.save wrote"):
        io.load(tmp_path)


def test_options_out_of_range_name_the_file(tmp_path):
    io.save(tmp_path, WordVectors(["a", "b"], VECTORS))
    rewrite(tmp_path, '"b"', '"b", "c"')
    with pytest.raises(InputError, match=r"fitted.json: .*:WordVectors: each word needs one row"):
        io.load(tmp_path)


def test_every_flipped_byte_is_told(tmp_path):
    io.save(tmp_path, {"a": VECTORS, "b": 1.5})
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(changed)
            if chr(whole[place]).isspace() and path.suffix == ".json":
                continue  # changes nothing between two parts
            with pytest.raises(InputError) as raised:
                io.load(tmp_path)
            assert str(raised.value).startswith(str(path))
            assert "\n" not in str(raised.value)
        path.write_bytes(whole)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 9, "sha256": ""}', "[" * 9999])
def test_another_file_in_its_place(tmp_path, content):
    (tmp_path / "fitted.json").write_text(content)
    with pytest.raises(InputError, match=r"fitted\.json: "):
        io.load(tmp_path)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"nothing is saved there, fitted\.json is missing"):
        io.load(tmp_path / "none")
    io.save(tmp_path, VECTORS)
    next(tmp_path.glob("arrays-*")).unlink()
    with pytest.raises(InputError, match="safetensors: is missing; was copying it interrupted"):
        io.load(tmp_path)


@pytest.mark.parametrize("stopped_at", ["save_file", "_sha256", "replacing"])
def test_a_failed_saving_leaves_the_former(tmp_path, monkeypatch, stopped_at):
    io.save(tmp_path, {"a": VECTORS})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saved_fit, stopped_at, fail)
        with pytest.raises(OSError, match="No space left"):
            io.save(tmp_path, {"a": VECTORS + 1})
    np.testing.assert_array_equal(io.load(tmp_path)["a"], VECTORS)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    io.save(tmp_path, {"a": VECTORS + 2})
    assert len(list(tmp_path.iterdir())) == 2
