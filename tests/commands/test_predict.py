import numpy as np
import pytest
from PIL import Image

import jaxemb
from jaxemb import io
from jaxemb.commands.main import main
from jaxemb.models.encoders import ConvEncoder, PictureEncoder

RNG = np.random.default_rng(6)
POINTS = RNG.normal(size=(40, 5)).astype(np.float32)
NEW = RNG.normal(size=(4, 5)).astype(np.float32)


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("new.npy", NEW)


def ask(capsys, *words):
    status = main(["predict", *words])
    return status, *capsys.readouterr()


def test_words(capsys):
    vectors = io.WordVectors(["a", "b", "c"], np.float32([[1, 0], [0.8, 0.6], [0, 1]]))
    io.save("words", vectors)
    assert ask(capsys, "words", "a", "--count", "2") == (0, "b  0.8000\nc  0.0000\n", "")
    assert ask(capsys, "words", "a", "--count", "9")[0] == 2
    with open("some.txt", "w") as file:
        file.write("c\na\n\nc\n")
    assert ask(capsys, "words", "some.txt") == (0, "wrote predicted.vec: 2 words\n", "")
    found = io.read("predicted.vec")
    assert found.words == ["c", "a"]
    np.testing.assert_array_equal(found.vectors, vectors[["c", "a"]])
    status, _, err = ask(capsys, "words", "bb")
    assert (status, err.count("\n")) == (2, 1)
    assert "'bb' is not among the 3 words" in err


def test_translations(capsys):
    pairs = [("a dog", "un chien"), ("a cat", "un chat"), ("the dog", "le chien")] * 40
    fitted = jaxemb.bilingual.fit(0, pairs, jaxemb.bilingual.Options(dim=8, linked=4, epochs=5))
    io.save("both", fitted)
    status, out, _ = ask(capsys, "both", "dog", "--count", "2")
    best = jaxemb.bilingual.translate(fitted, ["dog"], k=2)[0]
    assert (status, out) == (0, "".join(f"{word}  {score:.4f}\n" for word, score in best))
    assert best[0][0] == "chien"
    # The folder of a run that keeps its model.
    io.save("run/model", fitted)
    assert ask(capsys, "run", "dog", "--count", "2") == (0, out, "")
    status, out, _ = ask(capsys, "both", "chat", "--side", "second", "--count", "1")
    assert (status, out.split()[0]) == (0, "cat")
    status, _, err = ask(capsys, "both", "chat")
    assert (status, err.count("\n")) == (2, 1)
    assert "'chat' is a word of the second language" in err
    with open("some.txt", "w") as file:
        file.write("cat\n\na\n")
    assert ask(capsys, "both", "some.txt", "--count", "1")[:2] == (
        0,
        "wrote predicted.tsv: 2 words\n",
    )
    with open("predicted.tsv") as file:
        assert [line.split("\t")[:2] for line in file] == [["cat", "chat"], ["a", "un"]]


def test_a_list_of_words_by_other_programs(capsys):
    io.save("words", io.WordVectors(["a", "é"], np.float32([[1, 0], [0, 1]])))
    with open("some.txt", "wb") as file:
        file.write("\ufeffa\r\ne\u0301\r\n\r\n".encode())
    assert ask(capsys, "words", "some.txt") == (0, "wrote predicted.vec: 2 words\n", "")
    with open("some.txt", "wb") as file:
        file.write(b"a\n\xe9\n")
    status, _, err = ask(capsys, "words", "some.txt")
    assert (status, err.count("\n")) == (2, 1)
    assert "some.txt: byte 0xe9 is not UTF-8" in err


def test_columns_of_a_table_that_are_no_coordinates(capsys):
    io.save("map", jaxemb.pca.fit(POINTS))
    names = "a,b,c,d,e,class"
    rows = [",".join(map(str, [*row, number])) for number, row in enumerate(NEW)]
    with open("new.csv", "w") as file:
        file.write("\n".join([names, *rows]))
    status, _, err = ask(capsys, "map", "new.csv")
    assert (status, err.count("\n")) == (2, 1)
    assert "class" in err
    assert ask(capsys, "map", "new.csv", "--drop", "class")[0] == 0
    placed = np.load("predicted.npy")
    np.testing.assert_allclose(placed, jaxemb.pca.transform(jaxemb.pca.fit(POINTS), NEW), rtol=1e-4)


def test_the_folder_of_a_run(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    status, _, err = ask(capsys, "run", "new.npy")
    assert (status, err.count("\n")) == (2, 1)
    assert "run: is the folder of a run, which keeps what it made and no fit for new data" in err
    io.write(tmp_path / "run" / "vectors.txt", ["a", "b"], np.float32([[1, 0], [0.8, 0.6]]))
    assert ask(capsys, "run", "a", "--count", "1") == (0, "b  0.8000\n", "")


def test_a_map(capsys):
    fitted = jaxemb.pca.fit(POINTS)
    io.save("map", fitted)
    assert ask(capsys, "map", "new.npy") == (0, "wrote predicted.npy: float32 [4, 2]\n", "")
    np.testing.assert_array_equal(np.load("predicted.npy"), jaxemb.pca.transform(fitted, NEW))


def test_a_network(capsys):
    options = jaxemb.autoencoder.Options(hidden=(4,), iterations=5, batch=8)
    fitted = jaxemb.autoencoder.fit(0, POINTS, options)
    io.save("net", fitted)
    assert ask(capsys, "net", "new.npy", "--out", "codes.npy")[0] == 0
    np.testing.assert_array_equal(
        np.load("codes.npy"), jaxemb.autoencoder.encode(fitted.model, NEW)
    )


def test_pictures(capsys, tmp_path):
    images = RNG.integers(256, size=(12, 8, 8), dtype=np.uint8)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number:02}.png")
    names = ["ash", "elm", "oak"] * 4
    encoder = PictureEncoder(ConvEncoder(4, (8,)), side=8)
    options = jaxemb.classifier.Options(iterations=3, batch=4)
    io.save("net", jaxemb.classifier.fit(0, encoder, images, names, options))
    rows = f"a row a picture, in order {tmp_path / '00.png'} to {tmp_path / '11.png'}"
    told = f"wrote predicted.npy: <U3 [12]; {rows}\n"
    assert ask(capsys, "net", str(tmp_path))[:2] == (0, told)
    found = np.load("predicted.npy")
    expected = jaxemb.classifier.predict(io.load("net").model, images)
    np.testing.assert_array_equal(found, expected)
    assert set(found) <= set(names)
    assert ask(capsys, "net", "03.png")[0] == 0
    assert np.load("predicted.npy").tolist() == [expected[3]]
    io.save("plain", jaxemb.pca.fit(POINTS))
    assert "plain: holds a Fitted, which does not say" in ask(capsys, "plain", "03.png")[2]


def test_what_places_nothing(capsys):
    io.save("map", jaxemb.sammon.fit(0, POINTS, jaxemb.sammon.Options(iterations=3)))
    status, _, err = ask(capsys, "map", "new.npy")
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("error: map: sammon places no new points; tsne")
    io.save("other", jaxemb.training.state.History())
    assert "holds a History, which no method made" in ask(capsys, "other", "new.npy")[2]


def test_missing_files(capsys):
    assert "none: nothing is saved there" in ask(capsys, "none", "new.npy")[2]
    io.save("map", jaxemb.pca.fit(POINTS))
    assert "gone.npy" in ask(capsys, "map", "gone.npy")[2]
