"""Window validity: word vectors by telling real windows of text from ones with a word switched.

Example:
    from jaxemb import data
    from jaxemb.methods import window_validity

    sentences = [["the", "cat", "sat", "on", "the", "mat"], ["a", "dog", "ran", "to", "me"]] * 50
    text = data.from_tokens(sentences, min_count=1)
    options = window_validity.Options(dim=8, window=3, epochs=2)
    fitted = window_validity.fit(0, text, options)
    print(window_validity.predict(fitted, [["the", "cat", "sat"], ["the", "ran", "sat"]]))

R(W(w1), ..., W(wn)) scores a window; W is the table of word vectors (Bottou 2011, arXiv:1102.1808;
Collobert et al. 2011, arXiv:1103.0398).
"""

from jaxemb.methods.window_validity.fit import Fitted, evaluate, fit, predict, start
from jaxemb.methods.window_validity.held_out import HeldOut, check
from jaxemb.methods.window_validity.options import Options

__all__ = ["Fitted", "HeldOut", "Options", "check", "evaluate", "fit", "predict", "start"]
