"""GloVe: word vectors by weighted least squares on the logarithms of co-occurrence counts.

Example:
    from jaxemb import data
    from jaxemb.methods import glove

    sentences = [["the", "cat", "sat"], ["the", "dog", "sat"]] * 100
    text = data.from_tokens(sentences, min_count=1)
    fitted = glove.fit(0, text, glove.Options(dim=8, window=2, epochs=20))
    print(fitted.vectors.words, fitted.history.loss[-1])

Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation".
"""

from jaxemb.methods.glove.fit import Fitted, check, count, fit, loss_of_zeros, start
from jaxemb.methods.glove.options import Options

__all__ = ["Fitted", "Options", "check", "count", "fit", "loss_of_zeros", "start"]
