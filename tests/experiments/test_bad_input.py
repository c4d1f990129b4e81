import json
import re
import subprocess
import threading

import numpy as np
import pytest

from jaxemb import io

pytestmark = pytest.mark.usefixtures("private_cache")

# Imports cost more than most cases, so that one process runs all of them; each leaves its status
# and what it wrote to standard error, Python or not.
MANY = """
import json, os, resource, sys, threading, traceback
from jaxemb.experiments import query, word2vec
from jaxemb.experiments.harness import command

def collect(end):
    with open(end, "rb") as pipe:
        told.append(pipe.read())

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for line in sys.stdin:
    name, flags, limit = json.loads(line)
    module = {"word2vec": word2vec, "query": query}[name]
    told = []
    # A pipe: the limit holds for a file, too.
    reading, writing = os.pipe()
    reader = threading.Thread(target=collect, args=(reading,))
    reader.start()
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(writing, 2)
    os.close(writing)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        status = command.main(module.Config, module.run, flags)
    except BaseException:
        status = traceback.format_exc()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    sys.stderr.flush()
    os.dup2(kept, 2)
    os.close(kept)
    reader.join()
    print("RESULT" + json.dumps((status, told[0].decode())), flush=True)
"""


@pytest.fixture(scope="module")
def process(private_cache, start):
    process = start("-c", MANY, stdin=subprocess.PIPE)
    yield process
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err


@pytest.fixture
def ask(process):
    def run(name, flags, *, largest=None, seconds=600):
        """Runs one in the process; no file may be larger than `largest` bytes."""
        impatient = threading.Timer(seconds, process.kill)
        impatient.start()
        try:
            print(json.dumps((name, [str(flag) for flag in flags], largest)), file=process.stdin)
            process.stdin.flush()
            result = next((line for line in process.stdout if "RESULT" in line), None)
        finally:
            impatient.cancel()
        assert result is not None, process.stderr.read()
        return tuple(json.loads(result.split("RESULT")[-1]))

    return run


@pytest.fixture
def ask_many(ask):
    return lambda cases: [ask(name, flags) for name, flags in cases]


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    for name in ("bare", "hidden"):
        (folder / name).mkdir(parents=True)
    (folder / "hidden" / ".text.txt").write_text("not meant")
    (folder / "empty.txt").write_text("")
    (folder / "blank.txt").write_text(" \n\n \t")
    (folder / "rare.txt").write_text("each of these once\n")
    (folder / "latin1.txt").write_bytes("a line\nna\u00efve\n".encode("latin-1"))
    (folder / "binary.bin").write_bytes(bytes(range(1, 128)) + bytes(64) + b"\xff" * 9)
    (folder / "damaged.gz").write_bytes(b"\x1f\x8b\x08 and then no gzip")
    (folder / "lone.txt").write_text("one\ntwo\n" * 50)
    (folder / "same.txt").write_text("same " * 50)
    (folder / "pair.txt").write_text("here there " * 5)
    return folder


def told(err: str) -> str:
    """The only line on standard error, progress bars aside."""
    lines = [line.strip() for line in err.replace("\r", "\n").split("\n")]
    lines = [line for line in lines if line and not re.search(r"\[\d+:\d+[<,].*/s", line)]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def check(results, messages):
    for (status, err), message in zip(results, messages, strict=True):
        assert status == 2, (message, status, err)
        assert told(err).startswith("error: "), err
        assert message in told(err)


def test_flags(ask_many, planted, tmp_path):
    help_ = "; --help lists the flags"
    cases = {
        ("--wnidow", "3"): "Unrecognized options: --wnidow, 3; Perhaps you meant: --window INT",
        ("--model", "glove"): "invalid choice 'glove' for argument '--model'. Expected one of",
        ("--optimizer", "lion"): "invalid choice 'lion' for argument '--optimizer'",
        ("--window",): "--window",
        ("--objective", "softmax"): "invalid choice 'softmax' for argument '--objective'. Expected",
        ("--objective", "full_softmax", "--shared-noise", "8"): (
            "--shared-noise means nothing to full_softmax, only to negative_sampling and nce and "
            f"sampled_softmax{help_}"
        ),
        ("--objective", "sampled_softmax", "--negatives", "6"): (
            "--negatives means nothing to sampled_softmax, only to negative_sampling and nce"
        ),
        ("--objective", "hierarchical_softmax", "--noise-power", "1"): (
            "--noise-power means nothing to hierarchical_softmax, only to negative_sampling and"
        ),
        ("--window", "101"): "--window must be at least 1 and at most 100, found 101" + help_,
        ("--seed", "4294967296"): "--seed must be at least 0 and at most 4,294,967,295, found 4",
        ("--dim", "1"): "--dim must be at least 2 and at most 1,048,576, found 1" + help_,
        ("--noise-power", "11"): "--noise-power must be at least 0 and at most 10, found 11.0",
        ("--subsample", "-1e-3"): "--subsample must be at least 0 and at most 1, found -0.001",
        ("--min-count", "10000"): "no word has a count of at least min_count = 10000: the largest",
        ("--max-vocab", "1"): "only the word 't",
    }
    for name in ("window", "dim", "negatives", "shared-noise", "epochs", "min-count"):
        for value in ("0", "-5"):
            cases[f"--{name}", value] = f"--{name} must be at least "
        for value in ("five", "2.5", "nan"):
            cases[f"--{name}", value] = f"Error parsing --{name}: invalid literal for int() with"
            if name == "shared-noise":
                cases[f"--{name}", value] = (
                    f"Error parsing --{name}: no type matching {{None}}|INT could be instantiated"
                )
    for value in ("nan", "-0.1", "0", "1e9", "inf"):
        cases["--learning-rate", value] = (
            f"--learning-rate must be more than 0 and at most 10, found {float(value)}{help_}"
        )
    cases["--learning-rate", "fast"] = (
        "Error parsing --learning-rate: no type matching {None}|FLOAT could be instantiated from "
        "['fast']"
    )
    # Last, because it is found out only when the folder has been made.
    cases["--subsample", "1e-30"] = "--subsample = 1e-30 left none of 60,000 words; raise it, or"
    always = ["--corpus", planted, "--out", tmp_path / "run"]
    results = ask_many([("word2vec", [*always, *flags]) for flags in cases])
    check(results, cases.values())


def test_corpora_and_folders(ask_many, texts, planted, tmp_path):
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("not a folder")
    other.mkdir()
    (other / "thesis.tex").write_text("precious")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "config.json").write_text("{")
    cases = {
        "empty.txt": f"{texts}/empty.txt: no words in 1 files",
        "blank.txt": f"{texts}/blank.txt: no words in 1 files",
        "bare": f"{texts}/bare: the folder holds no text files",
        "hidden": f"{texts}/hidden: the folder holds no text files",
        "rare.txt": "no word has a count of at least min_count = 5: the largest is 1",
        "latin1.txt": f"{texts}/latin1.txt: byte 0xef is not UTF-8 (byte 9, line 2)",
        "binary.bin": f"{texts}/binary.bin: a NUL byte, so this is a binary file or UTF-16 (byte 1",
        "damaged.gz": f"{texts}/damaged.gz: cannot be read or is damaged",
        "lone.txt": f"{texts}/lone.txt: every document is a single word, so none has neighbors",
        "same.txt": "only the word 'same' is left, two are needed",
        "nowhere.txt": f"{texts}/nowhere.txt: no such file or folder, nor a known corpus (pydocs,",
    }
    runs = [["--corpus", texts / name, "--out", tmp_path / "run"] for name in cases]
    messages = list(cases.values())
    for flags, message in (
        (["--corpus", "text9"], "text9: no such file or folder, nor a known corpus (pydocs, text8"),
        (["--corpus"], "--corpus needs at least one name or path; --help lists the flags"),
        (
            ["--corpus", "simplewiki"],
            "corpus_simplewiki.txt.xz: no such file. `jaxemb data simplewiki`",
        ),
        (["--corpus", planted, "--out", file], f"{file}: File exists"),
        (["--corpus", planted, "--out", file / "run"], f"{file}/run: Not a directory"),
        (["--corpus", planted, "--out", other], f"{other} holds 'thesis.tex' but no config.json"),
        (
            ["--corpus", planted, "--out", damaged],
            f"{damaged}/config.json is not a run's configuration",
        ),
    ):
        runs.append(flags)
        messages.append(message)
    results = ask_many([("word2vec", flags) for flags in runs])
    check(results, messages)
    assert (other / "thesis.tex").read_text() == "precious"
    # Nothing was begun that would be in the way of the next try.
    assert not (tmp_path / "run").exists()


def test_training_that_fails(ask_many, planted, tmp_path):
    # CBOW, because it compiles fastest.
    small = ["--corpus", planted, "--model", "cbow", "--dim", 4, "--epochs", 1, "--subsample", 0]
    longer = [*small, "--epochs", 5, "--checkpoint-seconds", 0, "--learning-rate"]
    early, late, shape = tmp_path / "early", tmp_path / "late", tmp_path / "shape"
    narrow = ["--corpus", planted, "--model", "cbow", "--epochs", 1, "--subsample", 0, "--dim", 6]
    narrow += ["--learning-rate", 10, "--out", shape]
    runs = [
        [*small, "--learning-rate", 10, "--out", early],
        [*longer, 0.02, "--out", late],
        narrow,
    ]
    results = ask_many([("word2vec", flags) for flags in runs])
    assert results[1][0] == 0
    check(results[2:], ["the loss "])
    status, err = results[0]
    assert status == 2
    line = told(err)
    pattern = (
        r"error: the loss (exploded to \S+ from \S+|is not finite) at step \d+ with learning rate "
        r"\d\.?\d*; a smaller learning rate may help. The last good checkpoint: none was written "
        "yet"
    )
    assert re.fullmatch(pattern, line), line
    assert not (early / "vectors.txt").exists()
    # Checkpoints of other options, behind a config.json that was changed by hand.
    held = json.loads((late / "config.json").read_text())
    held["config"]["learning_rate"] = 10.0
    (late / "config.json").write_text(json.dumps(held))
    (late / "summary.json").unlink()
    kept = sorted((late / "checkpoints").iterdir())
    again = ask_many([("word2vec", [*longer, 10, "--out", late])])
    check(again, [f"{late}/checkpoints: no checkpoint can be used. "])
    assert "is of another run, whose key, options or data differ" in again[0][1]
    assert sorted((late / "checkpoints").iterdir()) == kept

    # A checkpoint of other shapes, put into the folder of a run that has begun.
    (late / "checkpoints").rename(shape / "checkpoints")
    check(ask_many([("word2vec", narrow)]), [f"{shape}/checkpoints: no checkpoint can be used. "])


def test_a_full_disk(ask, planted, tmp_path):
    words = ["--corpus", planted, "--model", "cbow", "--dim", 16, "--epochs", 1, "--subsample", 0]
    words += ["--learning-rate", 0.02, "--out", tmp_path / "run"]
    # First the corpus is encoded and all programs are compiled, into caches: only the run's own
    # files meet the limit.
    status, err = ask("word2vec", [*words[:-1], tmp_path / "whole"])
    assert status == 0, err
    # No file may be larger: too little for a checkpoint, whose tables have 4,608 bytes each, then
    # enough for all but the largest file, a picture of the map, which comes after the training.
    largest = max((path.stat().st_size, path) for path in (tmp_path / "whole").rglob("*.*"))
    assert largest[1].name.startswith("map.")
    for size, place in ((4000, "checkpoints"), (largest[0] - 1, "")):
        status, err = ask("word2vec", words, largest=size)
        assert status == 2, err
        expected = f"error: .*{tmp_path / 'run' / place}.*: File too large"
        assert re.fullmatch(expected, told(err)), err
        assert not [path for path in (tmp_path / "run").rglob("*.part") if path.is_file()]
    assert not (tmp_path / "run" / "summary.json").exists()
    # With room again, the same command ends it.
    status, err = ask("word2vec", words)
    assert status == 0, err
    vectors = [(tmp_path / run / "vectors.txt").read_bytes() for run in ("run", "whole")]
    assert vectors[0] == vectors[1]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--wnidow", "3"], "Unrecognized options: --wnidow, 3; Perhaps you meant: --window INT"),
        (["--corpus", "/nowhere/text.txt"], "/nowhere/text.txt: no such file or folder, nor a kno"),
    ],
)
def test_as_a_program(start, flags, message):
    process = start("-m", "experiments.word2vec", *flags)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out) == (2, "")
    assert told(err).startswith(f"error: {message}")


def test_vectors_that_cannot_be_asked(ask_many, tmp_path):
    files = {
        "nan.txt": ("2 2\na 1 nan\nb 1 2\n", "nan"),
        "twice.txt": ("2 2\na 1 3\na 1 2\n", "'a'"),
        "short.txt": ("3 2\na 1 3\nb 1 2\n", ""),
        "ragged.txt": ("2 2\na 1.0 3.0\nb 1.0\n", "line 3"),
        "empty.txt": ("", ""),
        "words.txt": ("no vectors here\nat all\n", ""),
    }
    for name, (text, _) in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    files["cut.npz"] = ("", "")
    files["nowhere.txt"] = ("", "No such file")
    cases = [("query", ["--vectors", tmp_path / name, "neighbors", "a"]) for name in files]
    io.write(tmp_path / "good.txt", ["a", "b"], np.eye(2, dtype=np.float32))
    good = ["--vectors", tmp_path / "good.txt"]
    cases += [("query", [*good, "neighbors", "c"]), ("query", [*good, "neighbors", "a"])]
    results = ask_many(cases)
    for (status, err), (name, (_, message)) in zip(results, files.items(), strict=False):
        assert status == 2, (name, status)
        line = told(err)
        assert line.startswith(f"error: {tmp_path / name}: "), line
        assert message in line
    check(results[-2:], ["'c' is not among the 2 words", "--count 10 is outside 1..1"])
