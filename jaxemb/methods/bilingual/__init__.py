"""Words of two languages in one space, learned from sentences and their translations.

Example:
    from jaxemb import bilingual

    pairs = [
        ("a dog runs", "un chien court"),
        ("a cat sleeps", "un chat dort"),
        ("the dog sleeps", "le chien dort"),
        ("the cat runs", "le chat court"),
    ] * 50
    fitted = bilingual.fit(0, pairs, bilingual.Options(dim=8, epochs=20))
    bilingual.translate(fitted, ["dog"], k=2)  # [[("chien", ...), ...]]
    fitted.first.nearest("dog", k=3)  # words of the same language
    fitted.second["chien"]  # its vector, near to that of its translation

Every word predicts its neighbors in both languages: skip-gram reads each sentence merged with its
translation. To these vectors come those of the words' likeliest translations by IBM model 1, whose
probabilities help to look translations up, too.
"""

from jaxemb.methods.bilingual.fit import Fitted, fit, start
from jaxemb.methods.bilingual.links import Probabilities
from jaxemb.methods.bilingual.options import Options
from jaxemb.methods.bilingual.translate import By, translate

__all__ = ["By", "Fitted", "Options", "Probabilities", "fit", "start", "translate"]
