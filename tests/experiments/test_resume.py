import dataclasses
import json
import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from jaxemb.experiments import word2vec
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb.methods import word2vec as methods
from jaxemb.training import checkpoint

# Long enough to be stopped on the way: a call of 128 steps, after which a checkpoint may be
# written, is not a twentieth of the run.
OPTIONS = {"dim": 16, "epochs": 60, "subsample": 0, "learning_rate": 0.03, "parts": 1}

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def config(planted):
    return word2vec.Config(
        methods.Options(**OPTIONS),
        TextFlags(corpus=(str(planted),)),
        command.Common(checkpoint_seconds=0),
    )


@pytest.fixture(scope="module")
def unbroken(config, tmp_path_factory, private_cache):
    """The folder of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("unbroken") / "run"
    word2vec.run(at(config, out))
    return out


@pytest.fixture
def train(config, start):
    """Starts the same run in a process; it is killed at the end of the test if it still runs."""
    processes = []

    def run(out, **changes):
        flags = flags_of(config, OPTIONS | {"out": out} | changes)
        processes.append(start("-m", "experiments.word2vec", *flags))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def ended(process):
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def last_step(out: Path) -> int:
    path = out / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    # The last line may be half written.
    steps = [json.loads(line)["step"] for line in lines if line.endswith("}")]
    return steps[-1] if steps else 0


def wait_for(process, out: Path, step: int) -> None:
    """Returns once the run is past a step."""
    limit = time.monotonic() + 600
    # Lines of the run before are cut when it starts again; only then do they count.
    began = (out / "metrics.jsonl").stat().st_ino if (out / "metrics.jsonl").exists() else None
    while time.monotonic() < limit:
        assert process.poll() is None, process.communicate()
        path = out / "metrics.jsonl"
        if path.exists() and path.stat().st_ino != began and last_step(out) >= step:
            return
        time.sleep(0.002)
    pytest.fail(f"step {step} was not reached")


def plain_lines(err: str) -> list[str]:
    """Standard error without progress bars."""
    lines = [line.strip() for line in err.replace("\r", "\n").split("\n")]
    return [line for line in lines if line and not re.search(r"\[\d+:\d+[<,].*/s", line)]


def flip_a_byte(folder: Path) -> None:
    path = max(
        (folder / "arrays" / "params.input").rglob("*"), key=lambda file: file.stat().st_size
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def metrics(out: Path) -> list[dict]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    # A resumed run's speed is its own.
    return [{name: line[name] for name in ("step", "loss", "learning_rate")} for line in lines]


def newest(out: Path) -> Path:
    return max(path for path in (out / "checkpoints").iterdir() if path.name.isdecimal())


def assert_same(out: Path, unbroken: Path) -> None:
    for name in ("vectors.txt", "vocabulary.txt"):
        assert (out / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert newest(out).name == newest(unbroken).name
    hashes = [(newest(folder) / checkpoint.MANIFEST).read_text() for folder in (out, unbroken)]
    assert hashes[0] == hashes[1]
    assert metrics(out) == metrics(unbroken)
    loss = [json.loads((f / "summary.json").read_text())["final_loss"] for f in (out, unbroken)]
    assert loss[0] == loss[1]
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]


def test_a_run_killed_again_and_again_ends_with_the_same_bits(train, unbroken, tmp_path):
    out = tmp_path / "run"
    rng = np.random.default_rng(11)
    # Once before it trains: anywhere in the imports, the encoding or the compiling.
    early = train(out)
    time.sleep(rng.uniform(0.5, 2.5))
    early.kill()
    assert ended(early)[0] == -signal.SIGKILL
    reached = []
    for _ in range(3):
        process = train(out)
        wait_for(process, out, max(reached, default=0) + int(rng.integers(1, 400)))
        # Between two lines lie a checkpoint and a call: anywhere in these.
        time.sleep(rng.uniform(0, 0.2))
        process.kill()
        assert ended(process)[0] == -signal.SIGKILL
        reached.append(last_step(out))
    assert reached[0] > 0
    assert reached == sorted(reached)
    status, said, err = ended(train(out))
    assert status == 0, err
    assert "going on from step " in said
    assert_same(out, unbroken)


def test_signals_and_a_damaged_checkpoint_leave_the_bits_alone(train, unbroken, tmp_path):
    out = tmp_path / "run"
    for number, past in ((signal.SIGINT, 300), (signal.SIGTERM, 1100)):
        process = train(out)
        wait_for(process, out, past)
        process.send_signal(number)
        status, said, err = ended(process)
        assert status == 128 + number, err
        step = int(newest(out).name)
        assert step >= past
        assert last_step(out) == step
        expected = f"stopped at step {step:,}; the same command goes on from there"
        assert said.splitlines()[-1] == expected
        assert plain_lines(err) == []
    damaged, before = newest(out), sorted((out / "checkpoints").iterdir())[-2]
    flip_a_byte(damaged)
    status, said, err = ended(train(out))
    assert status == 0, err
    assert f"going on from step {int(before.name):,} of 3,540" in said
    complaints = plain_lines(err)
    assert len(complaints) == 1
    assert complaints[0].startswith(f"{damaged}: file arrays/params.input/")
    assert "hash differs" in complaints[0]
    assert_same(out, unbroken)


def test_a_finished_run_is_only_told_about(config, unbroken, capsys, monkeypatch):
    monkeypatch.setattr(word2vec, "train", None)
    status = main(config, unbroken)
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert out.startswith(f"{unbroken} holds this run, finished:\n")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dim", "17"], "dim is 16 there and 17 here"),
        (["--seed", "1", "--window", "4"], "seed is 0 there and 1 here; window is 5 there and 4"),
        (["--no-cbow-mean"], "cbow_mean is True there and False here"),
    ],
)
def test_another_configuration_is_refused(config, unbroken, capsys, flags, message):
    before = (unbroken / "vectors.txt").read_bytes()
    assert main(config, unbroken, *flags) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {unbroken} holds a run of another configuration: {message}")
    assert err.count("\n") == 1
    assert (unbroken / "vectors.txt").read_bytes() == before


def test_a_changed_corpus_is_refused(config, unbroken, tmp_path, capsys):
    # The words of a run belong to its text.
    text = tmp_path / "planted.txt"
    text.write_text(Path(config.text.corpus[0]).read_text() + "one more line\n")
    assert main(dataclasses.replace(config, text=TextFlags(corpus=(str(text),))), unbroken) == 2
    assert "planted.txt is '" in capsys.readouterr().err


def test_a_kill_after_the_last_checkpoint_loses_only_the_speed(config, unbroken, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(unbroken, out)
    for name in ("vectors.txt", "map.html", "map.png", "summary.json"):
        (out / name).unlink()
    word2vec.run(at(config, out))
    assert_same(out, unbroken)
    assert json.loads((out / "summary.json").read_text())["words_per_second"] is None


def main(config, out, *flags):
    words = [*flags_of(config, OPTIONS | {"out": out}), *flags]
    return command.main(word2vec.Config, word2vec.run, words)


def flags_of(config, fields):
    fields = {"corpus": config.text.corpus[0], "checkpoint-seconds": 0} | fields
    pairs = (("--" + name.replace("_", "-"), str(value)) for name, value in fields.items())
    return [word for pair in pairs for word in pair]


def at(config, out):
    return dataclasses.replace(config, common=dataclasses.replace(config.common, out=out))
