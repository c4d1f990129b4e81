import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.methods import sif

RNG = np.random.default_rng(0)
WORDS = [f"w{i}" for i in range(12)]
VECTORS = WordVectors(WORDS, (RNG.normal(size=(12, 5)) + 1).astype(np.float32))
# Some words are far more frequent, the last is never there, and one has no vector.
TEXTS = [
    " ".join(f"w{i}" for i in RNG.geometric(0.3, size=6) if i < 11) + " new" for _ in range(40)
]


def papers(texts: list[str], smoothing: float) -> np.ndarray:
    """Arora et al. 2017, algorithm 1, sentence by sentence, brought to length 1."""
    tokens = [[word for word in text.split() if word in WORDS] for text in texts]
    total = sum(map(len, tokens))
    share = {word: max(1, sum(one.count(word) for one in tokens)) / total for word in WORDS}
    rows = []
    for sentence in tokens:
        row = np.zeros(5)
        for word in sentence:
            weight = smoothing / (smoothing + share[word])
            row += weight * VECTORS[word].astype(np.float64) / len(sentence)
        rows.append(row)
    sums = np.array(rows)
    u = np.linalg.svd(sums)[2][0]
    sums = np.array([row - u * (u @ row) for row in sums])
    return sums / np.linalg.norm(sums, axis=1, keepdims=True)


@pytest.mark.parametrize("smoothing", [1e-3, 0.5])
def test_vectors_are_the_papers(smoothing):
    fitted = sif.fit(TEXTS, VECTORS, sif.Options(smoothing=smoothing))
    np.testing.assert_allclose(sif.encode(fitted.model, TEXTS), papers(TEXTS, smoothing), atol=1e-4)


def test_without_weights_and_directions_it_is_the_average():
    model = sif.fit(TEXTS, VECTORS, sif.Options(smoothing=None, common=0)).model
    mean = VECTORS[["w1", "w2", "w2"]].mean(axis=0)
    found = sif.encode(model, ["w1 w2 W2"])[0]
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["no word"], VECTORS), "none of the 12 words is in a sentence, e.g. not"),
        ((TEXTS, VECTORS.vectors), "vectors must be jaxemb.io.WordVectors, found ndarray"),
        ((TEXTS, VECTORS, sif.Options(common=5)), "common must be less than the 5 numbers of a"),
        (("w1 w2", VECTORS), "texts must be a list of sentences"),
        ((TEXTS[:1], VECTORS), "and the 1 sentences, found 1; 0 takes nothing out"),
        (
            (TEXTS, WordVectors(["w1", "w2", "w1"], VECTORS.vectors[:3])),
            "vectors: the word 'w1' comes twice",
        ),
    ],
)
def test_what_no_average_can_be_made_of(arguments, message):
    with pytest.raises(InputError, match=message):
        sif.fit(*arguments)


def test_numbers_out_of_range():
    with pytest.raises(InputError, match="smoothing must be more than 0"):
        sif.Options(smoothing=0.0)
