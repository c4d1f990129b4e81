"""What a training of two languages may be told."""

import dataclasses

from jaxemb import checks
from jaxemb.fields import documented
from jaxemb.methods import word2vec


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the vectors, sentences given."""

    dim: int = 200
    """Width of the vectors by which words predict their neighbors, and of those by which they are
    predicted. A word has both, and `linked` numbers: 700 in all by default."""
    epochs: int = 10
    """Passes over the sentences."""
    window: int = 10
    """Neighbors that count, at most, to each side, of both languages together."""
    negatives: int = 5
    """Noise words per prediction."""
    subsample: float = 1e-3
    """Relative frequency above which words are subsampled; 0 keeps all."""
    learning_rate: float = 0.05
    """At the start; it falls linearly to nearly 0."""
    min_count: int = 2
    """Rarer words, of each language, get no vectors."""
    iterations: int = 4
    """Rounds of IBM model 1; with more, rare words seem to translate too much."""
    linked: int = 300
    """Directions, at most, of the words' likeliest translations; 0 for none."""
    linked_weight: float = 0.5
    """How much these count beside the others; cosines are weighed by its square."""
    probability_weight: float = 0.4
    """How much log(1 + p / floor), p a translation's probability, counts beside the cosine."""
    floor: float = 1e-3
    """Probability below which sentences hardly tell translations from other words."""
    neighbors: int = 10
    """Neighbors by which words that are near to all are found (CSLS)."""

    def __post_init__(self) -> None:
        """Refuses values that no vectors can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        self.of_words()
        for name in ("min_count", "iterations", "neighbors"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "linked", at_least=0)
        for name in ("linked_weight", "probability_weight"):
            checks.check_field(self, name, at_least=0, at_most=1e6)
        checks.check_field(self, "floor", above=0, at_most=1)

    def of_words(self) -> word2vec.Options:
        """Returns the numbers of skip-gram.

        Raises:
          InputError: naming the field that no training can use.
        """
        return word2vec.Options(
            dim=self.dim,
            epochs=self.epochs,
            window=self.window,
            negatives=self.negatives,
            subsample=self.subsample,
            learning_rate=self.learning_rate,
        )
