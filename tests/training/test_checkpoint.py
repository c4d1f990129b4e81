"""Checkpoints come back bit for bit, or are named, skipped and left alone."""

import errno
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.errors import InputError
from jaxemb.training import checkpoint


class State(NamedTuple):
    step: jax.Array
    key: jax.Array
    params: dict[str, Any]
    opt_state: optax.OptState


def make(step: int) -> State:
    """A state that differs from step to step in every leaf that has elements."""
    key = jax.random.key(step)
    odd = jnp.array([[jnp.nan, -0.0, jnp.inf], [1e-45, step, -1]], jnp.float32)
    params = {
        "input": jax.random.normal(jax.random.fold_in(key, 1), (7, 3)),
        "a/b": {"odd": odd, "half": jax.random.normal(key, (2, 5), jnp.bfloat16)},
        "scale": jnp.array(step + 0.5, jnp.bfloat16),
        "frozen": jnp.arange(4) % 2 == step % 2,
        "counts": jnp.array([step, 2**32 - 1], jnp.uint32),
        "none": jnp.zeros((0, 3)),
    }
    tables = {"input": params["input"]}
    optimizer = optax.chain(optax.clip(1.0), optax.adam(0.1), optax.identity())
    return State(jnp.array(step, jnp.int32), key, params, optimizer.init(tables))


def assert_same(found: Any, wanted: Any) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert isinstance(a, jax.Array)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


FILES = [
    "SHA256SUMS",
    "manifest.json",
    *(f"arrays/{name}" for name in ["_CHECKPOINT_METADATA", "_METADATA", "_sharding"]),
    *(f"arrays/{name}" for name in ["array_metadatas/process_0", "commit_success.txt"]),
    *(
        f"arrays/{leaf}/{file}"
        for leaf, chunk in {
            "key": "0",
            "opt_state.1.0.count": "0",
            "opt_state.1.0.mu.input": "0.0",
            "opt_state.1.0.nu.input": "0.0",
            "params.a%2Fb.half": "0.0",
            "params.a%2Fb.odd": "0.0",
            "params.counts": "0",
            "params.frozen": "0",
            "params.input": "0.0",
            "params.scale": "0",
            "step": "0",
        }.items()
        for file in (".zarray", chunk)
    ),
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("saved") / "checkpoints"
    for step in (100, 200):
        checkpoint.save(directory, step, make(step))
    return directory


@pytest.fixture
def directory(saved, tmp_path) -> Path:
    """Whole checkpoints of steps 100 and 200, to be damaged."""
    return shutil.copytree(saved, tmp_path / "checkpoints")


def assert_previous(directory: Path, *sentences: str) -> None:
    """Step 200 is rejected with these sentences, 100 restored, and alone 200 is an error."""
    restored = checkpoint.restore(directory, make(0))
    assert restored is not None
    assert restored.step == 100
    assert_same(restored.state, make(100))
    assert len(restored.rejected) == len(sentences)
    for found, wanted in zip(restored.rejected, sentences, strict=True):
        assert found.startswith(f"{directory}/")
        assert wanted in found
    shutil.rmtree(directory / "00000100")
    with pytest.raises(InputError) as error:
        checkpoint.restore(directory, make(0))
    assert str(error.value).startswith(f"{directory}: no checkpoint can be used. ")
    assert all(sentence in str(error.value) for sentence in restored.rejected)


def flip(path: Path, at: int | None = None, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= bit
    path.write_bytes(data)


def test_round_trip(tmp_path):
    path = checkpoint.save(tmp_path / "new" / "checkpoints", 7, make(7))
    assert path == tmp_path / "new" / "checkpoints" / "00000007"
    like = jax.eval_shape(lambda: make(0))
    for wanted in (make(0), like):
        restored = checkpoint.restore(path.parent, wanted)
        assert restored is not None
        assert (restored.step, restored.rejected) == (7, ())
        assert_same(restored.state, make(7))
        # Committed leaves could not meet sharded ones in one jitted step.
        assert not any(leaf.committed for leaf in jax.tree.leaves(restored.state))


def test_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint.save(Path("checkpoints"), 3, make(3))
    restored = checkpoint.restore(Path("checkpoints"), make(0))
    assert restored is not None
    assert_same(restored.state, make(3))


@pytest.mark.parametrize("impl", ["rbg", "threefry2x32"])
def test_keys_of_any_kind(tmp_path, impl):
    keys = jax.random.split(jax.random.key(5, impl=impl), 3)
    checkpoint.save(tmp_path, 0, keys)  # a state of one leaf, which has no name
    restored = checkpoint.restore(tmp_path, keys)
    assert restored is not None
    assert_same(restored.state, keys)
    other = {"rbg": "threefry2x32", "threefry2x32": "rbg"}[impl]
    with pytest.raises(InputError, match=r"leaf : has dtype key<\w+>, the state needs key<\w+>"):
        checkpoint.restore(tmp_path, jax.random.split(jax.random.key(5, impl=other), 3))


def test_restored_state_trains_on_like_the_unbroken_one(tmp_path):
    optimizer = optax.adam(0.1)

    @jax.jit
    def update(state):
        noise = jax.random.normal(jax.random.fold_in(state.key, state.step), (4, 3))
        updates, opt_state = optimizer.update(state.params - noise, state.opt_state)
        params = optax.apply_updates(state.params, updates)
        return State(state.step + 1, state.key, params, opt_state)

    params = jnp.ones((4, 3))
    state = State(jnp.int32(0), jax.random.key(1), params, optimizer.init(params))
    like = state
    for step in range(6):
        if step == 3:
            checkpoint.save(tmp_path, step, state)
        state = update(state)
    restored = checkpoint.restore(tmp_path, like)
    assert restored is not None
    again = restored.state
    for _ in range(3):
        again = update(again)
    assert_same(again, state)


def test_sums_are_those_of_coreutils(saved):
    ran = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=saved / "00000200",
        capture_output=True,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


def test_manifest_tells_shape_dtype_and_hash_of_each_leaf(saved):
    manifest = json.loads((saved / "00000200" / "manifest.json").read_text())
    assert manifest["step"] == 200
    assert len(manifest["leaves"]) == len(jax.tree.leaves(make(200)))
    # printf '\310\0\0\0' | sha256sum, the bytes of 200
    assert manifest["leaves"]["step"] == {
        "shape": [],
        "dtype": "int32",
        "key": None,
        "sha256": "a77802d8305178be2db1ab04fdd5ca3b8c03ad5d45ca35132ff6a04c7faec115",
    }
    assert manifest["leaves"]["key"]["dtype"] == "key<fry>"


def test_list_of_files_is_complete(saved):
    files = [p for p in (saved / "00000200").rglob("*") if p.is_file()]
    assert sorted(str(p.relative_to(saved / "00000200")) for p in files) == sorted(FILES)


@pytest.mark.parametrize("file", FILES)
def test_flipped_byte(directory, file):
    flip(directory / "00000200" / file)
    named = "" if file == "SHA256SUMS" else f"file {file}: hash differs from SHA256SUMS"
    assert_previous(directory, f"00000200: file {named.removeprefix('file ')}")


@pytest.mark.parametrize("file", FILES)
def test_truncated_file(directory, file):
    path = directory / "00000200" / file
    os.truncate(path, path.stat().st_size - 1)
    named = "SHA256SUMS: line 28 must be" if file == "SHA256SUMS" else f"{file}: hash differs"
    assert_previous(directory, f"00000200: file {named}")


@pytest.mark.parametrize("file", FILES)
def test_removed_file(directory, file):
    (directory / "00000200" / file).unlink()
    named = "has no SHA256SUMS" if file == "SHA256SUMS" else f"file {file}: is missing"
    assert_previous(directory, f"00000200: {named}")


def test_no_flip_in_the_sums_goes_unseen(directory):
    shutil.rmtree(directory / "00000100")
    path = directory / "00000200" / "SHA256SUMS"
    whole = path.read_bytes()
    generator = random.Random(0)
    for _ in range(300):
        flip(path, generator.randrange(len(whole)), 1 << generator.randrange(8))
        with pytest.raises(InputError, match="00000200: file "):
            checkpoint.restore(directory, make(0))
        path.write_bytes(whole)
    for lines in range(whole.count(b"\n")):
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:lines]))
        with pytest.raises(InputError, match="is not in SHA256SUMS"):
            checkpoint.restore(directory, make(0))


def test_manifest_that_is_no_json(directory):
    (directory / "00000200" / "manifest.json").write_text("{")
    assert_previous(directory, "00000200: file manifest.json: hash differs from SHA256SUMS")


def test_added_file(directory):
    (directory / "00000200" / "arrays" / "step" / "1").write_bytes(b"1234")
    assert_previous(directory, "00000200: file arrays/step/1: is not in SHA256SUMS")


def test_file_that_cannot_be_read(directory):
    path = directory / "00000200" / "arrays" / "step" / "0"
    path.unlink()
    path.symlink_to("nowhere")
    assert_previous(directory, "00000200: cannot be read: [Errno 2]")


def rewrite_sums(path: Path) -> None:
    """Makes the hashes of files right again, as a wrong writer would have."""
    files = [line.split("  ")[1] for line in (path / "SHA256SUMS").read_text().splitlines()]
    ran = subprocess.run(["sha256sum", *files], cwd=path, capture_output=True, check=True)
    (path / "SHA256SUMS").write_bytes(ran.stdout)


def test_leaf_that_was_written_wrongly(directory):
    path = directory / "00000200"
    flip(path / "arrays" / "params.input" / "0.0")
    rewrite_sums(path)
    assert_previous(directory, "00000200: leaf params.input: hash differs from the manifest")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda s: s._replace(step=jnp.float32(3)),
            "leaf step: has dtype float32, the state needs int32",
        ),
        (
            lambda s: s._replace(params=s.params | {"input": jnp.ones((7, 3), jnp.bfloat16)}),
            "leaf params.input: has dtype bfloat16, the state needs float32",
        ),
        (
            lambda s: s._replace(key=jax.random.key_data(s.key)),
            "leaf key: has dtype uint32, the state needs key<fry>",
        ),
        (
            lambda s: s._replace(params=s.params | {"input": jnp.ones((3, 7))}),
            "leaf params.input: has shape [3, 7], the state needs [7, 3]",
        ),
        (
            lambda s: s._replace(params=s.params | {"more": jnp.ones(2)}),
            "leaf params.more: is in the checkpoint but not in the state",
        ),
        (
            lambda s: s._replace(opt_state=()),
            "leaf opt_state.1.0.count: is in the state but not in the checkpoint",
        ),
    ],
    ids=["integer", "narrower", "key", "shape", "added leaf", "other optimizer"],
)
def test_state_of_another_kind(directory, change, sentence):
    checkpoint.save(directory, 200, change(make(200)))
    assert_previous(directory, f"00000200: {sentence}")


def test_renamed_checkpoint(directory):
    (directory / "00000200").rename(directory / "00000300")
    assert_previous(directory, "00000300: holds step 200; the folder was renamed")


def test_folder_without_content(directory):
    shutil.rmtree(directory / "00000200")
    (directory / "00000200").mkdir()
    assert_previous(directory, "00000200: has no SHA256SUMS; its writing was interrupted")


def test_file_in_the_place_of_a_folder(directory):
    shutil.rmtree(directory / "00000200")
    (directory / "00000200").write_text("")
    assert_previous(directory, "00000200: has no SHA256SUMS")


def test_half_written_folder(directory):
    path = directory / "00000200"
    (path / "SHA256SUMS").unlink()
    (path / "manifest.json").unlink()
    shutil.rmtree(path / "arrays" / "step")
    assert_previous(directory, "00000200: has no SHA256SUMS; its writing was interrupted")


def test_stray_folders(directory):
    shutil.rmtree(directory / "00000200")
    shutil.copytree(directory / "00000100", directory / "copy of 100")
    (directory / "9").mkdir()  # what Orbax's latest_step() takes for a checkpoint
    (directory / "notes").mkdir()
    (directory / "notes.txt").write_text("mine")
    assert_previous(
        directory, "9: is no checkpoint, those are named by eight digits", "copy of 100: is no"
    )


def test_saving_leaves_what_is_not_its_own(directory):
    shutil.copytree(directory / "00000100", directory / "copy of 100")
    for step in (300, 400, 500):
        checkpoint.save(directory, step, make(step))
    found = sorted(path.name for path in directory.iterdir())
    assert found == ["00000300", "00000400", "00000500", "copy of 100"]


def test_nothing_there(tmp_path):
    assert checkpoint.restore(tmp_path / "missing", make(0)) is None
    (tmp_path / "notes.txt").write_text("mine")
    # The first save of a run was killed: the run starts afresh.
    (tmp_path / ".00000100.part").mkdir()
    assert checkpoint.restore(tmp_path, make(0)) is None


def test_keeps_the_newest_three_and_clears_leftovers(tmp_path):
    state = {"table": jnp.ones((2, 3))}
    (tmp_path / ".00000001.part" / "arrays").mkdir(parents=True)
    (tmp_path / "9").mkdir()
    (tmp_path / "00000002").mkdir()  # incomplete: neither counted nor removed
    for step in (8, 9, 100, 2_000_000_000, 5, 9):
        checkpoint.save(tmp_path, step, state)
    # 5 and then 9 were saved after going back: what lies ahead of them stays.
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["00000002", "00000005", "00000009", "00000100", "2000000000", "9"]


def test_same_step_again_replaces_the_damaged(directory):
    flip(directory / "00000200" / "arrays" / "step" / "0")
    checkpoint.save(directory, 200, make(200))
    restored = checkpoint.restore(directory, make(0))
    assert restored is not None
    assert (restored.step, restored.rejected) == (200, ())
    assert_same(restored.state, make(200))


def test_leaves_of_one_name(tmp_path):
    with pytest.raises(ValueError, match="1 leaves share their name"):
        checkpoint.save(tmp_path, 0, {"a.b": jnp.ones(1), "a": {"b": jnp.ones(1)}})


def test_disk_full(directory, capfd, caplog):
    # The limit of a file's size stands for the disk's end: a write fails midway all the same.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(OSError, match=r"File too large: .*/arrays") as error:
            checkpoint.save(directory, 200, {"table": jnp.ones((1 << 19,))})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.errno == errno.EFBIG
    # Orbax logs a traceback of a hundred lines when a write fails.
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    assert sorted(path.name for path in directory.iterdir()) == ["00000100", "00000200"]
    restored = checkpoint.restore(directory, make(0))
    assert restored is not None
    assert_same(restored.state, make(200))


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        checkpoint.save(tmp_path / "file" / "checkpoints", 1, make(1))
    with pytest.raises(FileExistsError):
        checkpoint.save(tmp_path / "file", 1, make(1))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written(directory):
    directory.chmod(0o500)
    with pytest.raises(PermissionError):
        checkpoint.save(directory, 300, make(300))
    restored = checkpoint.restore(directory, make(0))
    directory.chmod(0o700)
    assert restored is not None
    assert restored.step == 200


KILLED = """
import itertools, sys
from pathlib import Path
import jax.numpy as jnp
from jaxemb.training import checkpoint
for step in itertools.count(int(sys.argv[2])):
    state = {"step": jnp.int32(step), "table": jnp.full((20_000, 10), step, jnp.float32)}
    checkpoint.save(Path(sys.argv[1]), step, state)
    print(step, flush=True)
"""


def test_killed_while_saving(tmp_path):
    like = {"step": jnp.int32(0), "table": jnp.zeros((20_000, 10))}
    generator = random.Random(0)
    newest = -1
    for _ in range(5):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(newest + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = int(process.stdout.readline())
            time.sleep(generator.uniform(0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            told = max([told, *map(int, process.stdout.read().split())])
        restored = checkpoint.restore(tmp_path, like)
        assert restored is not None
        assert restored.rejected == ()
        # The last save may have been completed and not told.
        assert restored.step in (told, told + 1)
        assert int(restored.state["step"]) == restored.step
        assert bool((restored.state["table"] == restored.step).all())
        newest = restored.step
    checkpoint.save(tmp_path, newest + 1, like)
    assert all(re.fullmatch(r"\d{8}", path.name) for path in tmp_path.iterdir())


SHARDED = """
import sys
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from jaxemb.training import checkpoint
jax.config.update("jax_num_cpu_devices", 8)
def sharding(shape, spec):
    devices = np.array(jax.devices()[: shape[0] * shape[1]]).reshape(shape)
    return NamedSharding(Mesh(devices, ("data", "table")), spec)
table = jnp.arange(48.0).reshape(16, 3)
key = jax.random.key(2)
state = {"key": key, "table": jax.device_put(table, sharding((2, 4), P("table")))}
path = Path(sys.argv[1])
checkpoint.save(path, 1, state)
for shape, spec in [((2, 4), P("table")), ((1, 2), P("table")), ((4, 2), P(None)), ((1, 1), P())]:
    wanted = sharding(shape, spec)
    like = {"key": key, "table": jax.ShapeDtypeStruct((16, 3), jnp.float32, sharding=wanted)}
    restored = checkpoint.restore(path, like)
    assert restored.state["table"].sharding == wanted
    assert (np.asarray(restored.state["table"]) == np.asarray(table)).all()
    # A step on both works: the key is not bound to the first device.
    noise = jax.jit(lambda s: s["table"] + jax.random.normal(s["key"], (16, 3)))(restored.state)
    assert noise.shape == (16, 3)
print("done")
"""


def test_sharded_over_devices(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", SHARDED, str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "done\n", "")


PROCESS = """
import sys
from pathlib import Path
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from jaxemb.training import checkpoint
jax.config.update("jax_num_cpu_devices", 2)
jax.distributed.initialize(sys.argv[2], 2, int(sys.argv[3]))
mesh = Mesh(np.array(jax.devices()), ("table",))
def place(host, spec):
    return jax.make_array_from_callback(host.shape, NamedSharding(mesh, spec), host.__getitem__)
table = np.arange(24, dtype=np.float32).reshape(8, 3)
key = place(np.asarray(jax.random.key_data(jax.random.key(3))), P())
state = {"key": jax.random.wrap_key_data(key), "table": place(table, P("table"))}
path = Path(sys.argv[1])
for step in range(5):
    checkpoint.save(path, step, state)
restored = checkpoint.restore(path, state)
assert (restored.step, restored.rejected) == (4, ())
assert restored.state["table"].sharding == state["table"].sharding
assert len(restored.state["table"].addressable_shards) == 2
for shard in restored.state["table"].addressable_shards:
    assert (np.asarray(shard.data) == table[shard.index]).all()
print("done")
"""


def test_two_processes(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path), address, str(rank)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        told = [process.communicate(timeout=600)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], told
    assert all(text.endswith("done\n") for text in told)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000002", "00000003", "00000004"]
    # No process has the whole table: the hashes of its files stand for its own.
    leaves = json.loads((tmp_path / "00000004" / "manifest.json").read_text())["leaves"]
    assert leaves["table"]["sha256"] is None
