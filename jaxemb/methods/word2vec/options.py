"""What a training of word2vec may be told."""

import dataclasses
import math
from typing import Literal

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.kernels.parts import PARTS
from jaxemb.methods.word2vec.objectives import OBJECTIVES, Beginning, Name
from jaxemb.methods.word2vec.settings import Defaults, Dtype, Model, Settings

# Texts above this many words have steps of 4,096 words, others of 1,024.
LONG = 1_000_000
# Steps in which vectors leave chance level; a text that has fewer gets smaller ones.
FEWEST_STEPS = 200


@dataclasses.dataclass(frozen=True)
class WindowOptions:
    """The fields of all methods that predict words within windows."""

    dim: int = 100
    """Width of the vectors."""
    epochs: int = 10
    """Passes over the text."""
    model: str = "skipgram"
    """What predicts what; each method has its own."""
    cbow_mean: bool = True
    """CBOW: average the neighbors rather than add them."""
    window: int = 5
    """Neighbors that count, at most, to each side."""
    negatives: int = 5
    """Noise words per prediction, of negative sampling and NCE."""
    shared_noise: int | None = None
    """Noise words that a group shares, weighted as if each prediction had its own. None takes, for
    negative sampling and NCE, 32 for skip-gram and 8 for CBOW, which predicts less; for sampled
    softmax 64 and 32. More are slower and hardly better."""
    subsample: float = 1e-3
    """Relative frequency above which words are subsampled; 0 keeps all."""
    noise_power: float = 0.75
    """Noise words are drawn in proportion to this power of their counts."""
    learning_rate: float | None = None
    """At the start; it falls linearly to nearly 0. None takes 0.075 for skip-gram and 0.2 for
    CBOW, whose gradients a mean has made smaller; for softmax 0.07 and 0.15, for a full one 0.03
    and 0.06."""
    groups: int | None = None
    """Stretches of text in a step, far apart; a multiple of parts. None takes as many as make
    steps of 4,096 words, or of 1,024 for texts of up to a million words, and smaller ones where a
    training would have fewer than 200."""
    size: int | None = None
    """Neighboring words in a group. None takes 64; 32 for sampled and 8 for hierarchical softmax,
    which score all pairs of a group."""
    block: int | None = None
    """Words of a group whose scores are one matrix product; it divides size. None takes 16, or
    the size if that is less. Changes speed, and results by rounding alone."""
    dtype: Dtype | None = None
    """Of the rows that negative sampling multiplies; tables and sums are float32 in any case. None
    takes bfloat16, which is as good and moves half as much; other objectives have float32."""
    damping: float = 0.5
    """The summed gradient of a word that is n times in a step is divided by this power of n: 0 for
    the paper's plain sum, 1 for the mean."""
    most_means: float = 2.0
    """A word moves in a step by at most so many times its mean gradient; inf for no limit."""
    parts: int | None = None
    """Independent parts of a step, computed side by side; changes speed alone. None takes 8, or for
    a short training 1: the fewer, the sooner the step is compiled."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        # A map has two dimensions.
        checks.check_field(self, "dim", at_least=2, at_most=1 << 20)
        for name in ("epochs", "negatives"):
            checks.check_field(self, name, at_least=1)
        for name in ("shared_noise", "groups", "size", "block", "parts"):
            if getattr(self, name) is not None:
                checks.check_field(self, name, at_least=1, at_most=1 << 16)
        # A program's size grows with it: 100 takes a quarter of a minute to compile.
        checks.check_field(self, "window", at_least=1, at_most=100)
        checks.check_field(self, "subsample", at_least=0, at_most=1)
        # Beyond, powers of large counts overflow.
        checks.check_field(self, "noise_power", at_least=0, at_most=10)
        if self.learning_rate is not None:
            checks.check_field(self, "learning_rate", above=0, at_most=10)
        checks.check_field(self, "damping", at_least=0, at_most=1)
        checks.check_field(self, "most_means", above=0)
        if self.groups is not None and self.groups % (self.parts or 1):
            raise InputError(
                f"groups must be a multiple of parts, {self.parts}, found {self.groups}"
            )
        if self.size is not None and self.size % (self.block or min(16, self.size)):
            raise InputError(
                f"size must be a multiple of block, {self.block or 16}, found {self.size}"
            )


@documented
@dataclasses.dataclass(frozen=True)
class Options(WindowOptions):
    """Options of word2vec; the defaults are skip-gram with negative sampling."""

    model: Model = "skipgram"
    """skipgram: a word predicts its neighbors; cbow: they predict it."""
    objective: Name = "negative_sampling"
    """What training minimizes. full_softmax costs a score for each word of the vocabulary: use a
    small vocabulary."""
    optimizer: Literal["sgd", "adagrad", "adam"] = "sgd"
    """Applied to the rows that a step touches."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        for field in dataclasses.fields(self):
            users = [name for name, some in OBJECTIVES.items() if field.name in some.FIELDS]
            if users and self.objective not in users and self.is_set(field.name):
                raise InputError(
                    f"{field.name} means nothing to {self.objective}, only to {' and '.join(users)}"
                )

    def is_set(self, name: str) -> bool:
        """Tells whether a field differs from its default."""
        return getattr(self, name) != getattr(type(self), name)


def defaults(options: WindowOptions, objective: Beginning) -> Defaults:
    """Returns what suits the objective and the model."""
    return objective.DEFAULTS[options.model]


def choose(
    options: WindowOptions, objective: Beginning, words: int, kept: float = math.inf
) -> Settings:
    """Chooses what the options leave open.

    Args:
      options: what is asked.
      objective: what is minimized.
      words: length of the text.
      kept: words that subsampling leaves, of all epochs.

    Raises:
      InputError: if what is chosen doesn't go with what is asked.
    """
    found = defaults(options, objective)
    size = options.size or found.size
    if options.size is None and options.block is None and kept < FEWEST_STEPS * size:
        size = min(size, 16)
    block = options.block or min(16, size)
    if size % block:
        raise InputError(f"block must divide the size of a group, {size}, found {block}")
    whole = 4096 if words > LONG else 1024  # a short text has few steps
    # A multiple of the parts, one at least.
    parts = options.parts or PARTS
    groups = max(1, whole // size // parts) * parts
    if options.parts is None and kept < FEWEST_STEPS * groups * size:
        groups = max(1, int(kept / size / FEWEST_STEPS))
    groups = options.groups or groups
    if options.parts is None:
        parts = math.gcd(groups, PARTS) if words * options.epochs > LONG else 1
    return Settings(
        options.model,
        options.window,
        options.negatives,
        options.cbow_mean,
        groups,
        size,
        block,
        options.shared_noise or found.noise,
        options.dtype or found.dtype,
        options.damping,
        options.most_means,
        parts,
    )
