"""Paragraph vectors: documents, and words beside them, by what they predict.

Example:
    from jaxemb import data
    from jaxemb.methods import paragraph_vectors

    sentences = ["the cat sat on the mat", "a dog ran in the park", "the old ship sailed away"] * 20
    text = data.from_texts(sentences, min_count=1)
    fitted = paragraph_vectors.fit(0, text, paragraph_vectors.Options(dim=16, epochs=20))
    print(fitted.documents.shape, fitted.vectors.nearest("cat", 2))
    print(paragraph_vectors.encode(fitted, ["a cat in the park"]).shape)

`objective.py` has what predicts what, `step.py` a step, `fit.py` the training, `encode.py` the
vectors of new documents; the rest is word2vec's.
"""

from jaxemb.methods.paragraph_vectors.encode import encode
from jaxemb.methods.paragraph_vectors.fit import Fitted, check_documents, fit, start
from jaxemb.methods.paragraph_vectors.options import Options

__all__ = ["Fitted", "Options", "check_documents", "encode", "fit", "start"]
