import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from jaxemb import io
from jaxemb.commands import gallery as gallery_command
from jaxemb.commands.main import main
from jaxemb.io import gallery_file
from jaxemb.methods import classifier, matching
from jaxemb.models.encoders import ConvEncoder, PictureEncoder
from jaxemb.training.run import Run

RNG = np.random.default_rng(0)
NAMES = ("Ann", "Bob", "Zoë")
# A pattern for each individual, and one for a stranger.
PATTERNS = np.kron(RNG.integers(40, 215, size=(8, 4, 4)), np.ones((5, 5)))
ENCODER = PictureEncoder(ConvEncoder(8, (8, 8)), side=16)
OPTIONS = matching.Options(iterations=40, identities=8, samples=3, learning_rate=0.01, parts=1)


def photograph(number):
    """A picture of 20 x 20 pixels with noise, in changing light."""
    noise = RNG.normal(scale=8, size=(20, 20))
    return np.clip(RNG.uniform(0.7, 1) * PATTERNS[number] + noise, 0, 255).astype(np.uint8)


def write(folder, number, shots, mode="L"):
    folder.mkdir(parents=True, exist_ok=True)
    for shot in range(shots):
        Image.fromarray(photograph(number)).convert(mode).save(folder / f"{shot}.png")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A trained encoder, photographs of three people, and further ones."""
    folder = tmp_path_factory.mktemp("made")
    labels = np.repeat(np.arange(8), 6)
    images = np.stack([photograph(number)[2:18, 2:18] for number in labels])
    loss = matching.losses.supervised_contrastive()
    fitted = matching.fit(0, ENCODER, loss, images, labels, OPTIONS, run=Run(progress=False))
    io.save(folder / "fit", fitted._replace(threshold=0.3, threshold_from="chosen by hand"))
    for number, name in enumerate(NAMES):
        write(folder / "known" / name, number, 3)
    write(folder / "new" / "some", 0, 2)
    write(folder / "new" / "others", 7, 2, "RGB")
    write(folder / "Cy", 5, 2)
    return folder


@pytest.fixture
def inside(made, tmp_path, monkeypatch):
    for name in ("fit", "known", "new", "Cy"):
        shutil.copytree(made / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(capsys, *words):
    status = main(["gallery", *words])
    return status, *capsys.readouterr()


def refused(capsys, message, *words):
    status, out, err = ask(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1), (out, err)
    assert message in err, err


def rows(out):
    heading, *lines = out.splitlines()
    assert heading.split("\t") == [
        *("picture", "name", "distance", "nearest", "next", "next_distance")
    ]
    return [line.split("\t") for line in lines]


def test_a_gallery_is_built_asked_and_changed(inside, capsys):
    status, out, err = ask(capsys, "build", "known", "--encoder", "fit")
    assert (status, err) == (0, "")
    assert out.startswith(
        "wrote gallery.npz: 3 individuals, 9 pictures; farther than 0.3 is unknown (chosen by hand)"
    )
    assert "100.0% find their own individual" in out
    # The file is all that is needed.
    shutil.rmtree("fit")
    shutil.rmtree("known")
    status, out, err = ask(capsys, "look-up", "new", "Cy/0.png")
    assert (status, err) == (0, "")
    found = rows(out)
    assert [row[:2] for row in found] == [
        ["new/others/0.png", "unknown"],
        ["new/others/1.png", "unknown"],
        ["new/some/0.png", "Ann"],
        ["new/some/1.png", "Ann"],
        ["Cy/0.png", "unknown"],
    ]
    for _, name, distance, nearest, after, farther in found:
        assert name in ("unknown", nearest)
        assert (float(distance) <= 0.3) == (name == nearest)
        assert after != nearest
        assert float(distance) <= float(farther)
    # A folder without subfolders is of one individual.
    assert ask(capsys, "add", "Cy")[0] == 0
    assert rows(ask(capsys, "look-up", "Cy/0.png")[1])[0][1:3] == ["Cy", "0.0000"]
    assert ask(capsys, "remove", "Cy", "Zoe\u0308")[:2] == (0, "wrote gallery.npz: 2 individuals\n")
    status, out, _ = ask(capsys, "list")
    assert out == "Ann\t3\nBob\t3\n2 individuals; threshold 0.3, chosen by hand\n"
    assert rows(ask(capsys, "look-up", "Cy/0.png")[1])[0][1] == "unknown"


def test_a_threshold_by_those_enrolled(inside, capsys):
    io.save("bare", io.load("fit")._replace(threshold=None))
    status, out, _ = ask(capsys, "build", "known", "--encoder", "bare")
    assert status == 0
    told = "takes at most 5% of the pictures enrolled for another individual"
    assert f"is unknown ({told})" in out
    gallery = gallery_file.read(inside / "gallery.npz")
    # Of nine pictures none: just less than the smallest distance between two individuals.
    vectors = [gallery.vectors(name) for name in gallery.names]
    gaps = [
        np.square(one[:, None] - other[None]).sum(axis=-1).min()
        for place, one in enumerate(vectors)
        for other in vectors[:place]
    ]
    assert gallery.threshold == pytest.approx(min(gaps), rel=1e-4)
    assert gallery.threshold_from == told


def test_a_gallery_of_one(inside, capsys):
    shutil.rmtree("known/Ann")
    shutil.rmtree("known/Bob")
    asked = ("build", "known", "--encoder", "fit", "--threshold", "inf", "--out", "one.npz")
    assert ask(capsys, *asked)[0] == 0
    (row,) = rows(ask(capsys, "look-up", "Cy/0.png", "--gallery", "one.npz")[1])
    assert (row[1], row[4:]) == ("Zoë", ["", ""])
    assert "threshold inf, as asked for" in ask(capsys, "list", "--gallery", "one.npz")[1]


def test_nothing_is_changed_by_what_is_refused(inside, capsys):
    assert ask(capsys, "build", "known", "--encoder", "fit")[0] == 0
    before = (inside / "gallery.npz").read_bytes()
    refused(capsys, "gallery.npz is there already; `jaxemb", "build", "known", "--encoder", "fit")
    refused(capsys, "Ann, Bob, Zoë: enrolled already.", "add", "known")
    refused(capsys, "'Eve' is not enrolled", "remove", "Ann", "Eve")
    refused(capsys, "names must be one or more", "remove")
    refused(capsys, "nowhere: no such folder", "add", "nowhere")
    refused(capsys, "nowhere.jpg: no such file or folder", "look-up", "nowhere.jpg")
    Image.new("L", (20, 20), 90).save("blank.png")
    refused(capsys, "blank.png: is of one color all over", "look-up", "new", "blank.png")
    (inside / "damaged.png").write_bytes(b"no picture")
    refused(capsys, "damaged.png: cannot be read as a picture", "look-up", "damaged.png")
    assert (inside / "gallery.npz").read_bytes() == before
    assert ask(capsys, "build", "known", "--encoder", "fit", "--overwrite")[0] == 0


def test_what_no_gallery_can_be_made_of(inside, capsys):
    build = ("build", "known", "--encoder", "fit")
    refused(capsys, "Cy: its pictures are in no subfolders", "build", "Cy", *build[2:])
    refused(capsys, "none: nothing is saved there", *build[:3], "none")
    refused(capsys, "threshold must be at least 0, found -1.0", *build, "--threshold", "-1")
    (inside / "known" / "Ann").rename(inside / "known" / "unknown")
    refused(capsys, "the name 'unknown' is what strangers are called", *build)
    (inside / "known" / "unknown").rename(inside / "known" / "Zoe\u0308")
    refused(capsys, "the name 'Zoë' is there twice", *build)
    fitted = io.load("fit")
    io.save("bare", fitted._replace(threshold=None))
    shutil.copytree("Cy", "one/Cy")
    refused(
        capsys, "--threshold must be given for one individual", "build", "one", *build[2:3], "bare"
    )
    plain = matching.Model(ENCODER.encoder, None)
    io.save("plain", fitted._replace(model=plain))
    refused(capsys, "plain: holds a ConvEncoder, which does not say", *build[:3], "plain")
    io.save(
        "other", classifier.Fitted(classifier.Model(ENCODER, None, 2, 1.0), classifier.Options())
    )
    refused(capsys, "other: must hold a fit of jaxemb.matching", *build[:3], "other")
    gallery = gallery_file.Gallery(width=8, threshold=1.0)
    gallery_file.write(inside / "vectors.npz", gallery)
    refused(capsys, "vectors.npz: holds vectors alone", "look-up", "Cy", "--gallery", "vectors.npz")


def test_an_encoder_of_one_color_is_no_good(inside, capsys):
    """Vectors that are zero are like nobody's."""
    fitted = io.load("fit")
    nothing = jax.tree.map(np.zeros_like, fitted.model.variables)
    io.save("zero", fitted._replace(model=fitted.model._replace(variables=nothing)))
    refused(capsys, "Ann/0.png: its vector is zero", "build", "known", "--encoder", "zero")


def test_two_who_add_at_once_lose_nobody(inside, capsys):
    assert ask(capsys, "build", "known", "--encoder", "fit")[0] == 0
    for name in ("Di", "Ed", "Flo"):
        shutil.copytree("Cy", f"{name}-folder/{name}")
    with ThreadPoolExecutor() as pool:
        # Each waits until it may change the file.
        with gallery_command.locked(Path("gallery.npz")):
            begun = [
                pool.submit(gallery_command.add, gallery_command.Add(Path(f"{name}-folder")))
                for name in ("Di", "Ed", "Flo")
            ]
            time.sleep(0.2)
            assert not any(one.done() for one in begun)
        for one in begun:
            one.result()
    assert {"Di", "Ed", "Flo", *NAMES} == set(gallery_file.read(Path("gallery.npz")).names)


def test_a_folder_that_is_missing_is_told_before_the_work(inside, capsys):
    status, _, err = ask(capsys, "build", "known", "--encoder", "none", "--out", "sub/g.npz")
    assert (status, err.count("\n")) == (2, 1)
    assert "sub: no such folder" in err
