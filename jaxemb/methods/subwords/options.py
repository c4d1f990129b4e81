"""What a training of subwords may be told."""

import dataclasses

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.methods.word2vec.options import WindowOptions
from jaxemb.methods.word2vec.settings import Model


@documented
@dataclasses.dataclass(frozen=True)
class Options(WindowOptions):
    """Options of subwords, which learn by negative sampling and plain gradient descent."""

    model: Model = "skipgram"
    """skipgram: a word predicts its neighbors; cbow: they predict it."""
    shortest: int = 3
    """Characters in an n-gram, at least; < before and > behind the word count."""
    longest: int = 6
    """Characters in an n-gram, at most."""
    buckets: int = 1 << 18
    """Numbers that n-grams are hashed to; those with the same number share a row. 78,000 English
    words have 400,000 n-grams, here two to a row. Each number costs 400 bytes of a model's file at
    width 100, in use or not: fastText's 2,000,000 make 800 MB. Training holds those in use
    alone."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        checks.check_field(self, "shortest", at_least=1)
        checks.check_field(self, "buckets", at_least=1, at_most=(1 << 31) - 1)
        if self.longest < self.shortest:
            raise InputError(
                f"longest must be at least shortest, {self.shortest}, found {self.longest}; "
                "word2vec trains without n-grams"
            )
