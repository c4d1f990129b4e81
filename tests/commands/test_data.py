import hashlib

import numpy as np
import pytest

from jaxemb.commands.main import main
from jaxemb.data.sets import CORPORA, IMAGES, SOURCES, mnist

DIGITS = {
    "x_train": np.arange(4 * 784, dtype=np.uint8).reshape(4, 28, 28),
    "y_train": np.arange(4, dtype=np.uint8),
    "x_test": np.zeros((1, 28, 28), np.uint8),
    "y_test": np.array([7], np.uint8),
}
ANALOGIES = ": family\nboy girl he she\n"


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """An empty folder of data sets."""
    monkeypatch.setenv("JAXEMB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def fetched(tmp_path):
    np.savez(tmp_path / "mnist.npz", **DIGITS)
    return tmp_path / "mnist.npz"


def test_all_are_listed(data_dir, capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"data sets in {data_dir}\n")
    for source in SOURCES.values():
        size = f"{source.megabytes} MB to fetch" if source.downloads else "to be fetched by hand"
        assert f"\n{source.name}: not there; {size}; {source.license}\n" in out
        assert source.source in out


def test_what_was_fetched_is_taken_and_then_left_alone(data_dir, fetched, capsys):
    assert main(["data", "mnist", "--from", str(fetched)]) == 0
    told, wrote = capsys.readouterr().out.splitlines()
    assert told == "mnist: 70,000 handwritten digits; license: CC BY-SA 3.0"
    assert wrote == f"wrote {data_dir / 'mnist.npz'}, 0.0 MB"
    np.testing.assert_array_equal(mnist.read(data_dir).labels, [0, 1, 2, 3, 7])
    before = (data_dir / "mnist.npz").stat()
    assert main(["data", "mnist"]) == 0
    assert capsys.readouterr().out.startswith("mnist is there already: ")
    assert (data_dir / "mnist.npz").stat() == before
    assert main(["data", "mnist", "--from", str(fetched), "--overwrite"]) == 0
    assert capsys.readouterr().out.endswith(wrote + "\n")
    assert main(["data"]) == 0
    assert "\nmnist: there; " in capsys.readouterr().out


def test_all_go_on_where_one_cannot_be_had(data_dir, network, monkeypatch, capsys):
    url = "http://download.tensorflow.org/data/questions-words.txt"
    network[url] = ANALOGIES.encode()
    # The checksum of the small file in place of the real one's.
    source = SOURCES["analogies"]
    (download,) = source.downloads
    assert download.url == url
    sum_ = "sha1:" + hashlib.sha1(ANALOGIES.encode()).hexdigest()
    changed = source._replace(downloads=(download._replace(checksum=sum_),))
    monkeypatch.setitem(SOURCES, "analogies", changed)
    assert main(["data", "all"]) == 2
    out, err = capsys.readouterr()
    assert (data_dir / "questions-words.txt").read_text() == ANALOGIES
    assert f"wrote {data_dir / 'questions-words.txt'}, " in out
    *each, last = err.splitlines()
    by_hand = [name for name, one in SOURCES.items() if not one.downloads]
    others = [name for name in SOURCES if name not in ("analogies", *by_hand)]
    assert [line.partition(":")[0] for line in each] == others
    for name in by_hand:
        assert f"{name}: is to be fetched by hand: " in out
    assert last == (
        f"error: {len(others)} of {len(SOURCES)} data sets could not be had, see above: "
        f"{', '.join(others)}"
    )
    assert [path.name for path in data_dir.iterdir()] == ["questions-words.txt"]


@pytest.mark.parametrize("name", SOURCES)
def test_without_a_network_one_line_tells_the_way(name, data_dir, network, capsys):
    assert main(["data", name]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "http" in err
    assert f"and run `jaxemb data {name} --from FILE`" in err
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mnits"], "'mnits' is no data set; known are mnist, cifar10, "),
        (["digits"], "digits needs no file: it is there already"),
        (["--from", "FETCHED"], "--from is for one data set: which one?"),
        (["mnist", "faces", "--from", "FETCHED"], "--from is for one data set: which one?"),
        (["mnist", "--from", "none.npz"], "none.npz: no such file or folder"),
        (["faces", "--from", "FETCHED"], "400 of 400 photographs are missing, first s1/1.pgm"),
        (["cifar10", "--from", "FETCHED"], "data_batch_1.bin is missing"),
        (["omniglot", "--from", "FETCHED"], "images_background_small1.zip is missing"),
        (["text8", "--from", "FETCHED"], "is not and has not text8.zip, text8.gz or, unpacked"),
        (["simplewiki", "--from", "FETCHED"], "is and has no dump named like"),
        (["similarity", "--from", "FETCHED"], "has none of wordsim_similarity_goldstandard.txt"),
        (["analogies", "--from", "FETCHED"], "gives no analogies: questions-words.txt: No such"),
        (["dictionaries", "--from", "FETCHED"], "has no dictionary: yacle.train.freq.5k.en-de"),
        (["pos", "--from", "FETCHED"], "gives no pos: brown.zip is missing"),
        (["multi30k", "--from", "FETCHED"], "gives no multi30k: multi30k/task2/train.1.en.gz: no"),
    ],
)
def test_mistakes_are_one_line(words, message, data_dir, fetched, capsys):
    assert main(["data", *(str(fetched) if word == "FETCHED" else word for word in words)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not data_dir.exists() or list(data_dir.iterdir()) == []


def test_every_named_set_can_be_got_or_needs_no_file():
    assert {*IMAGES, *CORPORA} - SOURCES.keys() == {"digits", "pydocs"}
    for source in SOURCES.values():
        for download in source.downloads:
            checksum = getattr(download, "checksum", None)
            lengths = {"md5": 32, "sha1": 40, "sha256": 64}
            kind, _, digits = (checksum or "sha1:" + "0" * 40).partition(":")
            assert len(digits) == lengths[kind]
            # Nothing else vouches for it.
            if checksum is None:
                assert getattr(download, "url", download[0]).startswith("https://")
