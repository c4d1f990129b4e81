"""word2vec: skip-gram and CBOW, by any of five objectives.

Example:
    from jaxemb import data
    from jaxemb.methods import word2vec

    sentences = [["the", "cat", "sat"], ["the", "dog", "sat"], ["a", "cat", "ran"]] * 20
    text = data.from_tokens(sentences, min_count=1)
    fitted = word2vec.fit(0, text, word2vec.Options(dim=16, epochs=2, subsample=0))
    print(fitted.vectors["cat"].shape, fitted.vectors.nearest("cat", 2))

`options.py` has the options, `objectives/` what is minimized, `prediction.py` which words predict
which, `step.py` a step, `fit.py` the training.
"""

from jaxemb.methods.word2vec.fit import Fitted, fit, start
from jaxemb.methods.word2vec.options import Options

__all__ = ["Fitted", "Options", "fit", "start"]
