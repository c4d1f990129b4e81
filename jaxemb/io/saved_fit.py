"""Saves what a method has found, and loads it: arrays as safetensors, all else as JSON.

Nothing is pickled. Two files lie in the folder: `fitted.json`, which names the classes, and
`arrays-CHECKSUM.safetensors`, which it belongs to.
"""

import dataclasses
import hashlib
import importlib
import json
import math
import operator
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from jaxemb.atomic import replacing
from jaxemb.errors import InputError

FORMAT = 1
STRUCTURE = "fitted.json"
_NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def save(folder: str | Path, fitted: Any) -> None:
    """Writes what `fit` returned; what stood there before stays until all is written.

    Args:
      folder: is made if it is missing; other files in it stay.
      fitted: NamedTuples, dataclasses (also Flax modules), tuples, lists, dicts, NumPy and JAX
        arrays, random keys, numbers, strings, dtypes, paths and None, nested in any way.

    Raises:
      InputError: naming the place of anything else, such as a function.
      OSError: if a file cannot be written.
    """
    folder = Path(folder)
    structure, arrays = pack(fitted)
    body = {"fitted": structure, "arrays": None}
    folder.mkdir(parents=True, exist_ok=True)
    old = set(folder.glob("arrays-*.safetensors"))
    if arrays:
        path, digest = _write_arrays(arrays, folder)
        old.discard(path)
        body["arrays"] = {"file": path.name, "sha256": digest}
    text = json.dumps({"format": FORMAT, "sha256": _sha256_of(body), **body}, indent=1)
    with replacing(folder / STRUCTURE) as part:
        part.write_text(text + "\n")
    for path in old:
        path.unlink()


def load(folder: str | Path, *, classes: Iterable[type] = ()) -> Any:
    """Reads what `save` wrote; arrays come back bit for bit, and as what they were.

    Args:
      folder: where it lies.
      classes: those of your own that it is made of, such as an encoder. Only classes of jaxemb are
        imported by themselves.

    Raises:
      InputError: if there is nothing saved, a file is damaged or of another version, or a class is
        unknown.
      OSError: if a file cannot be read.
    """
    path = Path(folder) / STRUCTURE
    if not path.exists():
        raise InputError(f"{folder}: nothing is saved there, {STRUCTURE} is missing")
    body = _read_structure(path)
    arrays = {}
    if body["arrays"] is not None:
        arrays = _read_arrays(path.parent / body["arrays"]["file"], body["arrays"]["sha256"])
    return unpack(path, body["fitted"], arrays, classes=classes)


def pack(fitted: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """Returns JSON of a structure, and its arrays by the names that they have there.

    Args:
      fitted: as for `save`.

    Raises:
      InputError: as of `save`.
    """
    arrays: dict[str, np.ndarray] = {}
    return _encode(fitted, "fitted", _Arrays(arrays)), arrays


def unpack(
    path: Path, structure: Any, arrays: Mapping[str, np.ndarray], *, classes: Iterable[type] = ()
) -> Any:
    """Returns what `pack` was given.

    Args:
      path: the file that it is of, for messages.
      structure: JSON.
      arrays: by their names.
      classes: as for `load`.

    Raises:
      InputError: as of `load`.
    """
    given = {name: one for one in classes for name in (_name(one), one.__qualname__)}
    try:
        return _Decoder(path, arrays, given).decode(structure)
    except StopIteration as error:
        raise InputError(f"{path}: is no structure that jaxemb.io.save wrote") from error
    except KeyError as error:
        raise InputError(f"{path}: is no structure that jaxemb.io.save wrote: {error!r}") from error


class _Arrays:
    """Names arrays; one that is there twice gets one name."""

    def __init__(self, found: dict[str, np.ndarray]):
        self._found = found
        self._names: dict[int, tuple[str, Any]] = {}  # with the array, whose id must stay its own

    def name(self, array: Any) -> str:
        if id(array) not in self._names:
            name = f"a{len(self._names)}"
            self._names[id(array)] = name, array
            self._found[name] = _as_plain(np.asarray(array))
        return self._names[id(array)][0]


def _encode(value: Any, place: str, arrays: _Arrays) -> Any:
    """Returns the value as JSON; whatever JSON doesn't have is an object of one tag."""
    if value is None or isinstance(value, (bool, str)):
        return value if value is None or isinstance(value, bool) else str(value)
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return _encode_array(value, place, arrays)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return {"dtype": np.dtype(value).name}
    if type(value) is type(jnp.float32):
        return {"dtype": jnp.dtype(value).name}
    if type(value) is list:
        return [_encode(one, f"{place}[{i}]", arrays) for i, one in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": [_encode(one, f"{place}[{i}]", arrays) for i, one in enumerate(value)]}
    if type(value) is dict:
        keys = [_encode(key, f"a key of {place}", arrays) for key in value]
        items = [_encode(one, f"{place}[{key!r}]", arrays) for key, one in value.items()]
        return {"dict": [list(pair) for pair in zip(keys, items, strict=True)]}
    fields = _fields(value)
    if fields is None:
        raise InputError(
            f"{place}: {type(value).__name__} cannot be saved, only NamedTuples, dataclasses, "
            "arrays, numbers, strings, None, and tuples, lists and dicts of them"
        )
    encoded = {name: _encode(one, f"{place}.{name}", arrays) for name, one in fields.items()}
    return {"class": _name(type(value)), "fields": encoded}


def _fields(value: Any) -> dict[str, Any] | None:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in dataclasses.fields(value) if one.init]
        # Who has a Flax module has imported Flax, which takes half a second.
        linen = sys.modules.get("flax.linen")
        if linen is not None and isinstance(value, linen.Module):
            names.remove("parent")  # set by Flax
        return {name: getattr(value, name) for name in names}
    return None


def _encode_array(value: Any, place: str, arrays: _Arrays) -> Any:
    dtype = value.dtype
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        impl = str(jax.random.key_impl(value))
        return {"key": arrays.name(jax.random.key_data(value)), "impl": impl}
    if dtype.kind == "U":
        flat = value.ravel().tolist()
        return {"strings": flat, "dtype": dtype.str, "shape": list(value.shape)}
    real = any(jnp.issubdtype(dtype, kind) for kind in (np.bool_, np.integer, np.floating))
    if not real or dtype.itemsize > 8:
        raise InputError(f"{place}: an array of {dtype} cannot be saved")
    kind = "jax" if isinstance(value, jax.Array) else "numpy"
    kind = "scalar" if isinstance(value, np.generic) else kind
    return {"array": arrays.name(value), "dtype": dtype.name, "of": kind}


def _as_plain(array: np.ndarray) -> np.ndarray:
    """Returns the array in an order and type that safetensors has, with the same bits."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    array = np.asarray(array, order="C")
    known = array.dtype.kind in "biuf" and array.dtype.isbuiltin == 1
    return array if known else array.view(f"u{array.itemsize}")


def _write_arrays(arrays: dict[str, np.ndarray], folder: Path) -> tuple[Path, str]:
    """Returns the file and its checksum, which is its name: the former one stays beside it."""
    part = folder / f".arrays.{os.getpid()}.part"
    try:
        part.touch()
        mode = part.stat().st_mode
        try:
            save_file(arrays, part)
        except SafetensorError as error:  # the content is right, so it is the disk
            raise OSError(f"{folder}: {error}") from error
        part.chmod(mode)  # save_file lets only the owner read
        digest = _sha256(part)
        path = folder / f"arrays-{digest[:16]}.safetensors"
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path, digest


def _read_structure(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text())
        version, digest = read.pop("format"), read.pop("sha256")
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path}: is no structure that jaxemb.io.save wrote, or damaged: {error!s:.200}"
        ) from error
    if version != FORMAT:
        raise InputError(
            f"{path}: must be of format {FORMAT}, found {version!r}; was it saved by another "
            "version of jaxemb?"
        )
    if digest != _sha256_of(read) or read.keys() != {"fitted", "arrays"}:
        raise InputError(f"{path}: is damaged, its checksum differs; save it again")
    return read


def _read_arrays(path: Path, digest: str) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise InputError(f"{path}: is missing; was copying it interrupted? Save it again")
    if _sha256(path) != digest:
        raise InputError(
            f"{path}: is damaged, its checksum differs; was copying it interrupted? Save it again"
        )
    return load_file(path)


@dataclasses.dataclass(frozen=True)
class _Decoder:
    path: Path
    arrays: Mapping[str, np.ndarray]
    given: Mapping[str, type]

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.decode(one) for one in value]
        if not isinstance(value, dict):
            return value
        tag = next(iter(value))
        of_tag: dict[str, Callable[[Any], Any]] = {
            "float": lambda text: _NONFINITE[text],
            "path": Path,
            "dtype": jnp.dtype,
            "tuple": lambda items: tuple(map(self.decode, items)),
            "dict": lambda items: {self.decode(key): self.decode(one) for key, one in items},
            "strings": lambda items: np.array(items, value["dtype"]).reshape(value["shape"]),
            "array": lambda name: self._array(name, jnp.dtype(value["dtype"]), value["of"]),
            "key": lambda name: jax.random.wrap_key_data(
                jnp.asarray(self.arrays[name]), impl=value["impl"]
            ),
            "class": lambda name: self._instance(name, value["fields"]),
        }
        return of_tag[tag](value[tag])

    def _array(self, name: str, dtype: np.dtype, kind: str) -> Any:
        plain = self.arrays[name]
        array = plain if plain.dtype == dtype else plain.view(dtype)
        if kind == "numpy":
            return array
        if kind == "scalar":
            return array[()]
        if jax.dtypes.canonicalize_dtype(dtype) != dtype:
            raise InputError(
                f"{self.path}: has a JAX array of {dtype}; it was saved with jax_enable_x64, set "
                "that to load it"
            )
        return jnp.asarray(array)

    def _instance(self, name: str, fields: Mapping[str, Any]) -> Any:
        made_of = {field: self.decode(one) for field, one in fields.items()}
        try:
            return self._class(name)(**made_of)
        except TypeError as error:
            raise InputError(
                f"{self.path}: the fields of {name} don't fit: {error}; was it saved by another "
                "version?"
            ) from error
        except InputError as error:
            raise InputError(f"{self.path}: {name}: {error}") from error

    def _class(self, name: str) -> type:
        module, _, qualname = name.partition(":")
        found = self.given.get(name, self.given.get(qualname))
        if found is None:
            if not module.startswith("jaxemb."):
                raise InputError(
                    f"{self.path}: needs the class {qualname} of {module}; give it, as "
                    f"load(folder, classes=[{qualname.split('.')[-1]}])"
                )
            try:
                found = operator.attrgetter(qualname)(importlib.import_module(module))
            except (ImportError, AttributeError) as error:
                raise InputError(
                    f"{self.path}: needs the class {name}, which is missing: {error}; was it saved "
                    "by another version of jaxemb?"
                ) from error
        if not isinstance(found, type) or not (
            dataclasses.is_dataclass(found) or hasattr(found, "_fields")
        ):
            raise InputError(f"{self.path}: {name} is neither a NamedTuple nor a dataclass")
        return found


def _name(one: type) -> str:
    return f"{one.__module__}:{one.__qualname__}"


def _sha256_of(body: Any) -> str:
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
