"""What GloVe's result depends on, beside the text."""

import dataclasses

from jaxemb import checks
from jaxemb.data.cooccurrence import Weighting
from jaxemb.errors import InputError
from jaxemb.fields import documented


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """Options of GloVe."""

    dim: int = 100
    """Width of the vectors."""
    window: int = 10
    """Neighbors that count, at most, to each side; words outside the vocabulary are dropped
    first."""
    weighting: Weighting = "harmonic"
    """A neighbor at distance d counts 1/d, or 1 (flat)."""
    epochs: int = 8
    """Passes over the counted pairs."""
    x_max: float = 100.0
    """Count above which all pairs have the same weight."""
    alpha: float = 0.75
    """Pairs counted less often weigh in proportion to this power of their count."""
    learning_rate: float | None = None
    """Learning rate of AdaGrad, on the rows that a step touches. None takes 1, or 100 / dim if that
    is less, since a step changes a score by as many numbers as vectors are wide."""
    first_squares: float | None = None
    """Sum of squared gradients with which AdaGrad starts, so that rare words, whose gradients are
    small, learn slowly. None takes 3 for the usual x_max of 100, and otherwise as much more or less
    as the squares of the weights are, 3 (100 / x_max)^(2 alpha); or the square of the weight that a
    step's pairs of the word have together, if that is more: frequent words would first go too far.
    The authors' program starts with 1, of gradients that it has multiplied by its learning rate of
    0.05: 400 of the gradients themselves, but of single pairs, which take more steps."""
    init_scale: float = 0.5
    """Vectors and biases start uniform between plus and minus this, divided by dim."""
    pieces: int = 128
    """Rows of the matrix of counts in a step; a multiple of 4."""
    length: int = 64
    """Pairs of each such row in a step, at most; a longer row is spread over several steps."""
    memory_limit: int = 1000
    """Megabytes that counting may take; changes speed alone."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2, at_most=1 << 20)
        # Of wider windows, harmonic weights have no exact sums.
        checks.check_field(self, "window", at_least=1, at_most=40)
        checks.check_field(self, "epochs", at_least=1)
        checks.check_field(self, "x_max", above=0, at_most=1e12)
        checks.check_field(self, "alpha", at_least=0, at_most=10)
        if self.learning_rate is not None:
            checks.check_field(self, "learning_rate", above=0, at_most=10)
        if self.first_squares is not None:
            checks.check_field(self, "first_squares", at_least=0, at_most=1e12)
        checks.check_field(self, "init_scale", above=0, at_most=1e6)
        checks.check_field(self, "pieces", at_least=4, at_most=1 << 20)
        if self.pieces % 4:
            raise InputError(f"pieces must be a multiple of 4, found {self.pieces}")
        checks.check_field(self, "length", at_least=1, at_most=1 << 20)
        checks.check_field(self, "memory_limit", at_least=1)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.learning_rate or min(1.0, 100 / self.dim)

    @property
    def squares(self) -> float:
        """The sum of squared gradients with which AdaGrad starts, of rare words."""
        if self.first_squares is not None:
            return self.first_squares
        return 3.0 * (100 / self.x_max) ** (2 * self.alpha)
