"""Every common way of making an embedding, as pure JAX functions.

Each method is a module with `Options`, all numbers that change the result, and `fit`, which returns
all that the method found. `help(jaxemb.tsne)` tells more.

Example:
    import numpy as np
    import jaxemb
    from jaxemb import tsne, word2vec

    sentences = [["the", "cat", "sat"], ["the", "dog", "sat"]] * 50
    text = jaxemb.data.from_tokens(sentences, min_count=5)  # or jaxemb.data.open_text("mine.txt")
    words = word2vec.fit(0, text, word2vec.Options(dim=10, epochs=1))
    jaxemb.io.write("mine.vec", words.vectors)
    words.vectors.nearest("cat", 3)  # ["cat"], analogy("man", "king", "woman"), ...

    points = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    map_ = tsne.fit(0, points, tsne.Options(perplexity=5, iterations=100))
    map_.embedding  # [60, 2]

| words of a text | |
|---|---|
| `word2vec` | skip-gram and CBOW, five objectives |
| `subwords` | word2vec with character n-grams, as in fastText |
| `glove` | least squares on logarithms of co-occurrence counts |
| `lsa` | co-occurrence counts, weighted, and their truncated SVD |
| `window_validity` | a network that tells real windows from corrupted ones |
| `one_hot` | the baseline without learning |

| documents of a text | |
|---|---|
| `paragraph_vectors` | documents and words by what they predict; new documents, too |

| items that users met | |
|---|---|
| `items` | weighted factorization, ranking, item2vec, two towers; recommendations |

| maps of points | |
|---|---|
| `tsne`, `parametric_tsne` | neighbors stay neighbors; by a network, for new points |
| `mds`, `sammon` | distances stay the same |
| `pca`, `autoencoder` | points can be recovered from the map |

| two languages | |
|---|---|
| `alignment` | word vectors and a dictionary: both in one space |
| `bilingual` | sentences and their translations: words of both languages in one space |

| vectors of anything labeled | |
|---|---|
| `matching` | an encoder whose vectors are near for the same label: triplets and other losses |
| `classifier` | the same network with one score a class |

| pictures without labels | |
|---|---|
| `contrastive_images` | vectors of what the patches of a picture have in common |

| two views of one object | |
|---|---|
| `image_words` | pictures with words: words find pictures, and pictures words |
| `two_views` | an encoder of each, whose vectors are near for the same object |
| `sentences` | pairs of sentences, as averages of word vectors: translations, paraphrases |
| `sif` | the baseline: averages of word vectors, weighed by frequency |

Beside the methods: `data` reads what they take, `io` saves and loads fits and reads the vector
formats of other programs, `sklearn` has maps as estimators for pipelines, `losses`, `models`,
`sampling` and `optim` are the parts that methods are made of, `training` is the engine that runs
them, `evaluation` scores and `plots` draws embeddings.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxemb import (
        data,
        evaluation,
        io,
        losses,
        models,
        optim,
        plots,
        sampling,
        sklearn,
        training,
    )
    from jaxemb.methods import (
        alignment,
        autoencoder,
        bilingual,
        classifier,
        contrastive_images,
        glove,
        image_words,
        items,
        lsa,
        matching,
        mds,
        one_hot,
        paragraph_vectors,
        parametric_tsne,
        pca,
        sammon,
        sentences,
        sif,
        subwords,
        tsne,
        two_views,
        window_validity,
        word2vec,
    )

__all__ = [
    "__version__",
    "alignment",
    "autoencoder",
    "bilingual",
    "classifier",
    "contrastive_images",
    "data",
    "evaluation",
    "glove",
    "image_words",
    "io",
    "items",
    "losses",
    "lsa",
    "matching",
    "mds",
    "models",
    "one_hot",
    "optim",
    "paragraph_vectors",
    "parametric_tsne",
    "pca",
    "plots",
    "sammon",
    "sampling",
    "sentences",
    "sif",
    "sklearn",
    "subwords",
    "training",
    "tsne",
    "two_views",
    "window_validity",
    "word2vec",
]

_PACKAGES = (
    "data",
    "evaluation",
    "io",
    "losses",
    "models",
    "optim",
    "plots",
    "sampling",
    "sklearn",
    "training",
)


def __getattr__(name: str) -> Any:
    """Imports a part when it is first asked for: nobody waits for what they don't use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("jaxemb")
    if name not in __all__:
        raise AttributeError(f"module 'jaxemb' has no attribute {name!r}")
    part = importlib.import_module(
        f"jaxemb.{name}" if name in _PACKAGES else f"jaxemb.methods.{name}"
    )
    globals()[name] = part
    return part


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
