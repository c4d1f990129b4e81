"""What a training of paragraph vectors may be told."""

import dataclasses
from typing import Literal

from jaxemb import checks
from jaxemb.fields import documented
from jaxemb.methods.word2vec.options import WindowOptions

Model = Literal["dbow", "dbow_words", "dm"]


@documented
@dataclasses.dataclass(frozen=True)
class Options(WindowOptions):
    """Options of paragraph vectors, which learn by negative sampling and plain gradient descent."""

    epochs: int = 20
    """Passes over the text. More than for words: a document learns in its own passes alone."""
    model: Model = "dbow_words"
    """dbow: a document predicts each of its words (PV-DBOW); dbow_words: words predict their
    neighbors, too, by skip-gram; dm: a document and the neighbors of a word predict it (PV-DM)."""
    cbow_mean: bool = True
    """dm: average the document and the neighbors rather than add them."""
    document_means: float = 4.0
    """A document moves in a step by the sum of its gradients, but by at most so many times their
    mean; inf for no limit."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        checks.check_field(self, "document_means", above=0)
