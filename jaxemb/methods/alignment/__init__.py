"""Maps word vectors of two languages into one space, where translations are near.

Example:
    import numpy as np
    from jaxemb import alignment
    from jaxemb.io import WordVectors

    rng = np.random.default_rng(0)
    english = WordVectors([f"word{i}" for i in range(200)], rng.normal(size=(200, 8)).astype("f4"))
    turned = english.vectors @ np.linalg.qr(rng.normal(size=(8, 8)))[0].astype("f4")
    french = WordVectors([f"mot{i}" for i in range(200)], turned)
    pairs = [(f"word{i}", f"mot{i}") for i in range(50)]
    fitted = alignment.fit(english, french, pairs)
    alignment.translate(fitted, ["word150"], k=2)  # [[("mot150", ...), ...]]
    fitted.source.vectors  # [200, 8] in the shared space, as fitted.target.vectors

Without pairs, words that are spelled alike begin, or, with the option `begin="similarities"` or
`begin="gromov_wasserstein"`, nothing but how similar each language's words are to one another; then
the dictionary is learned anew from the maps, and the maps from the dictionary.
"""

from jaxemb.methods.alignment.fit import Fitted, Side, View, fit, transform, translate
from jaxemb.methods.alignment.join import Joined, join
from jaxemb.methods.alignment.options import Options
from jaxemb.methods.alignment.pairs import rows_of

__all__ = [
    "Fitted",
    "Joined",
    "Options",
    "Side",
    "View",
    "fit",
    "join",
    "rows_of",
    "transform",
    "translate",
]
