"""Checkpoints: Orbax writes the arrays, hashes tell whether they are still what was written.

A checkpoint is the folder `DIRECTORY/<step, eight digits>/` with

- `arrays/`: Orbax's plain Zarr, a folder per leaf, so that a damaged file names its leaf;
- `manifest.json`: the step, and shape, dtype and SHA-256 of each leaf;
- `SHA256SUMS`: the hash of every file above, as `sha256sum --check` reads it.

The hashes of files find damage before Orbax reads anything (it restores flipped bytes silently);
those of leaves also find what was written or read wrongly. Folders named `.*.part` are what a
killed save left; the next save removes them.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jax
import numpy as np

from jaxemb.errors import InputError

KEEP = 3
SUMS, MANIFEST, ARRAYS = "SHA256SUMS", "manifest.json", "arrays"


class Restored(NamedTuple):
    """What `restore` found."""

    step: int  # updates done when it was saved
    state: Any  # of the structure, shapes, dtypes and shardings asked for
    rejected: tuple[str, ...]  # a sentence for each damaged checkpoint and each stray folder


def save(directory: Path, step: int, state: Any, *, run: str = "") -> Path:
    """Writes a checkpoint, then removes all but the newest three up to this step.

    It appears under its name only when complete. One of the same step is replaced. With several
    processes all must call it, on a file system that they share, and every leaf must be a global
    array (Orbax refuses those of one process).

    Args:
      directory: The folder of checkpoints, for nothing else and for one run; made if missing.
      step: [0, 2^31), updates done.
      state: A pytree of jax.Array, typed keys among them. On the host it takes the memory of one
        copy of the state, and while a leaf is hashed, of that leaf.
      run: tells this run from others of the same shapes.

    Returns:
      The checkpoint's folder.

    Raises:
      OSError: if it cannot be written; earlier checkpoints are as they were.
      ValueError: if two leaves have the same name.
    """
    from jax.experimental import multihost_utils

    final = directory / f"{step:08d}"
    part = directory / f".{final.name}.part"
    primary = jax.process_index() == 0
    leaves = {name: _stored(leaf) for name, leaf in _named(state).items()}
    if primary:
        directory.mkdir(parents=True, exist_ok=True)
        _clear(directory)
        part.mkdir()
    try:
        if primary:
            _require_room(part, sum(leaf.nbytes for leaf in leaves.values()))
        _write_arrays(part / ARRAYS, leaves)
        if primary:
            _write_manifest(part, step, run, state, leaves)
            if final.exists():
                _hide(final)  # killed here, the run falls back to the step before
            part.rename(final)
            # Later ones are from before the run went back to this step: they may be damaged, and
            # must not push out those that aren't.
            complete = [
                path
                for path in directory.iterdir()
                if 0 <= _step(path) <= step and (path / SUMS).is_file()
            ]
            for old in sorted(complete, key=_step)[:-KEEP]:
                _hide(old)
    finally:
        if primary:
            _clear(directory)
    multihost_utils.sync_global_devices(f"checkpoint {step}")
    return final


def restore(directory: Path, like: Any, *, run: str | None = None) -> Restored | None:
    """Reads the newest checkpoint that is undamaged and fits.

    Args:
      directory: The folder of checkpoints.
      like: The state wanted: a pytree of jax.Array or jax.ShapeDtypeStruct. A leaf goes where
        its sharding says, to the default device if it has none or is not committed to one.
      run: as when it was saved; None takes that of any.

    Returns:
      The state bit for bit as it was saved, or None if there is no checkpoint, damaged or not.

    Raises:
      InputError: if there are checkpoints and none can be used; it says why for each.
      OSError: if the folder cannot be listed.
    """
    found = sorted(directory.iterdir()) if directory.exists() else []
    rejected = [
        f"{path}: is no checkpoint, those are named by eight digits; was it copied or made by hand?"
        for path in found
        if _step(path) < 0
        and (path.name.isdecimal() or (path / SUMS).exists())
        and path.suffix != ".part"
    ]
    for path in sorted(found, key=_step, reverse=True):
        if _step(path) >= 0:
            try:
                return Restored(_step(path), _read(path, like, run), tuple(rejected))
            except InputError as error:
                rejected.append(str(error))
    if rejected:
        raise InputError(f"{directory}: no checkpoint can be used. " + " ".join(rejected))
    return None


def _step(path: Path) -> int:
    """The step that a checkpoint is named after, -1 for any other name."""
    name = path.name
    return int(name) if re.fullmatch("[0-9]{8,}", name) and f"{int(name):08d}" == name else -1


def _hide(path: Path) -> None:
    # Renamed before it is removed: a kill in between leaves no half of a checkpoint.
    path.rename(path.with_name(f".{path.name}.old.part"))


def _clear(directory: Path) -> None:
    for path in directory.glob(".*.part"):
        shutil.rmtree(path, ignore_errors=True)


def _is_key(leaf: Any) -> bool:
    return jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _stored(leaf: jax.Array) -> jax.Array:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _named(tree: Any) -> dict[str, Any]:
    leaves = jax.tree.leaves_with_path(tree)
    named = {jax.tree_util.keystr(p, simple=True, separator="."): leaf for p, leaf in leaves}
    if len(named) != len(leaves):
        raise ValueError(f"{len(leaves) - len(named)} leaves share their name with another one")
    return named


def _folder(name: str) -> str:
    return quote(name, safe="") or "%"  # a state that is a single array has the name ""


def _sha256(host: np.ndarray) -> str:
    # As bytes: bfloat16 has no buffer of its own that hashlib could read.
    return hashlib.sha256(host.reshape(-1).view(np.uint8).data).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _leaf_sha256(leaf: jax.Array) -> str | None:
    """None if no single process has the leaf; then the hashes of its files must do."""
    if not leaf.is_fully_addressable:
        return None
    # An array keeps the host copy that NumPy takes of it, so take it of another array with the
    # same buffers: otherwise copies of all tables would stay until the state is gone.
    shards = [shard.data for shard in leaf.addressable_shards]
    alias = jax.make_array_from_single_device_arrays(leaf.shape, leaf.sharding, shards)
    return _sha256(np.asarray(alias))


@contextlib.contextmanager
def _orbax() -> Iterator[Any]:
    """Yields (orbax.checkpoint, a checkpointer), mute: what it logs of an error we raise."""
    import orbax.checkpoint as ocp  # takes a third of a second

    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        # Without OCDBT each leaf has its own files; without compression, which gains 8% on float
        # tables, writing takes half the time.
        handler = ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_compression=False)
        with ocp.Checkpointer(handler) as checkpointer:
            yield ocp, checkpointer
    finally:
        logger.setLevel(level)


def _write_arrays(path: Path, leaves: dict[str, jax.Array]) -> None:
    # Orbax refuses empty arrays; the manifest says all that there is to know of them.
    item = {_folder(name): leaf for name, leaf in leaves.items() if leaf.size}
    try:
        with _orbax() as (ocp, checkpointer):
            checkpointer.save(path.absolute(), args=ocp.args.PyTreeSave(item))
    except ValueError as error:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error


def _require_room(part: Path, size: int) -> None:
    """OSError if the disk has no room for `size` more bytes.

    Asked beforehand because TensorStore's threads print tracebacks when a write fails.
    """
    if size and hasattr(os, "posix_fallocate"):  # not on macOS
        with tempfile.TemporaryFile(dir=part) as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(part / ARRAYS)) from None


def _write_manifest(
    part: Path, step: int, run: str, state: Any, leaves: dict[str, jax.Array]
) -> None:
    entries = {
        name: {
            "shape": list(leaf.shape),
            "dtype": str(leaf.dtype),
            "key": str(jax.random.key_impl(leaf)) if _is_key(leaf) else None,
            "sha256": _leaf_sha256(leaves[name]),
        }
        for name, leaf in _named(state).items()
    }
    manifest = {"step": step, "run": run, "leaves": entries}
    (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    lines = [f"{_file_sha256(part / name)}  {name}\n" for name in _files(part)]
    (part / SUMS).write_text("".join(lines))


def _files(path: Path) -> list[str]:
    return sorted(
        file.relative_to(path).as_posix()
        for file in path.rglob("*")
        if not file.is_dir() and file != path / SUMS
    )


def _read(path: Path, like: Any, run: str | None) -> Any:
    """The state of one checkpoint, InputError if it is damaged or another one than `like`."""
    try:
        _check_files(path)
        manifest = json.loads((path / MANIFEST).read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}.") from error
    if manifest["step"] != _step(path):
        raise InputError(f"{path}: holds step {manifest['step']}; the folder was renamed.")
    wanted, entries = _named(like), manifest["leaves"]
    for name in [*wanted, *entries]:
        if name not in entries or name not in wanted:
            has, lacks = ("state", "checkpoint") if name in wanted else ("checkpoint", "state")
            raise InputError(
                f"{path}: leaf {name}: is in the {has} but not in the {lacks}; was it saved with "
                "another model or optimizer?"
            )
        for what, value in (
            ("dtype", str(wanted[name].dtype)),
            ("shape", list(wanted[name].shape)),
        ):
            if entries[name][what] != value:
                raise InputError(
                    f"{path}: leaf {name}: has {what} {entries[name][what]}, the state needs "
                    f"{value}; was it saved with another configuration?"
                )
    # Last, for the others say more.
    if run is not None and manifest.get("run") != run:
        raise InputError(
            f"{path}: is of another run, whose key, options or data differ, or of an earlier "
            "version; give each run a folder of its own."
        )
    hosts = _read_arrays(path / ARRAYS, wanted)
    for name, entry in entries.items():
        if entry["sha256"] not in (None, _sha256(hosts[name])):
            raise InputError(
                f"{path}: leaf {name}: hash differs from the manifest though its files are as "
                "they were written; it was written or read wrongly."
            )
    # Each host copy is dropped as soon as its array is placed.
    placed = [_place(hosts.pop(name), leaf, entries[name]["key"]) for name, leaf in wanted.items()]
    return jax.tree.unflatten(jax.tree.structure(like), placed)


def _check_files(path: Path) -> None:
    if not (path / SUMS).is_file():
        raise InputError(f"{path}: has no {SUMS}; its writing was interrupted, or it is stray.")
    sums = {}
    text = (path / SUMS).read_bytes().decode(errors="replace")
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        match = re.fullmatch(r"([0-9a-f]{64})  (.+)\n", line)
        if match is None:
            raise InputError(
                f"{path}: file {SUMS}: line {number} must be a hash, two spaces and a file, found "
                f"{line[:100]!r}; the file was changed after it was written."
            )
        sums[match[2]] = match[1]
    files = _files(path)
    for name in sorted({*sums, *files, MANIFEST}):
        if name not in files:
            raise InputError(f"{path}: file {name}: is missing; it was removed or renamed.")
        if name not in sums:
            raise InputError(
                f"{path}: file {name}: is not in {SUMS}; it was added after the checkpoint was "
                f"written, or {SUMS} was cut."
            )
        if _file_sha256(path / name) != sums[name]:
            raise InputError(
                f"{path}: file {name}: hash differs from {SUMS}; the file was changed or cut "
                "after it was written."
            )


def _read_arrays(path: Path, wanted: dict[str, Any]) -> dict[str, np.ndarray]:
    # As NumPy arrays, so that they are hashed as read and placed without a cast.
    with _orbax() as (ocp, checkpointer):
        kind = ocp.RestoreArgs(restore_type=np.ndarray)
        item = {_folder(name): kind for name, leaf in wanted.items() if leaf.size}
        args = ocp.args.PyTreeRestore(item=item, restore_args=item)
        read = checkpointer.restore(path.absolute(), args=args)
    return {
        name: read[_folder(name)] if leaf.size else np.empty(leaf.shape, leaf.dtype)
        for name, leaf in wanted.items()
    }


def _place(host: np.ndarray, leaf: Any, key: str | None) -> jax.Array:
    # An uncommitted array stays so: committed to one device it could not meet sharded ones.
    sharding = leaf.sharding if getattr(leaf, "committed", True) else None
    if sharding is None:
        array = jax.device_put(host)
    else:
        array = jax.make_array_from_callback(host.shape, sharding, host.__getitem__)
    return array if key is None else jax.random.wrap_key_data(array, impl=key)
