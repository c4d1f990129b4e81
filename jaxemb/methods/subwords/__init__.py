"""Subwords: vectors of words and of their character n-grams, so that unknown words have one, too.

Example:
    from jaxemb import data
    from jaxemb.methods import subwords

    sentences = [["the", "cats", "sat"], ["the", "dogs", "sat"], ["a", "cat", "ran"]] * 20
    text = data.from_tokens(sentences, min_count=1)
    options = subwords.Options(dim=16, epochs=2, subsample=0, buckets=1000)
    fitted = subwords.fit(0, text, options)
    print(fitted.vectors["catsat"].shape)

`step.py` has a step, `fit.py` the training; what predicts what is word2vec's.
"""

from jaxemb.methods.subwords.fit import Fitted, fit, start
from jaxemb.methods.subwords.options import Options

__all__ = ["Fitted", "Options", "fit", "start"]
