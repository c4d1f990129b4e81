"""What the result of window validity depends on, beside the text."""

import dataclasses
from typing import Literal

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """Options of window validity."""

    dim: int = 50
    """Width of the vectors; the paper's."""
    window: int = 5
    """Words of a window, an odd number; words outside the vocabulary are dropped first."""
    switch: int | None = None
    """Place in the window, from 1, of the word that is switched. None takes the middle."""
    hidden: int = 100
    """Units of the hidden layer of R."""
    loss: Literal["logistic", "ranking"] = "logistic"
    """logistic classifies windows as valid or not; ranking wants a real window to score higher than
    the same with a word switched."""
    margin: float = 1.0
    """By how much: ranking."""
    noise: int = 8
    """Random words that the windows of a group share; each window gets all in turn."""
    noise_power: float = 0.75
    """Random words are drawn in proportion to this power of their counts."""
    held_out: float = 0.02
    """Share of the text that is held out of training, to judge by."""
    stretch: int = 500
    """Words of a stretch that is held out, at most: as long as a document, and many of them in a
    large corpus."""
    learning_rate: float = 1e-2
    """Learning rate of Adam at the start; it falls linearly."""
    final_rate: float = 1e-4
    """Share of the learning rate that is left at the end."""
    epochs: int = 5
    """Passes over the corpus."""
    groups: int = 32
    """Stretches of text in a step."""
    size: int = 32
    """Windows of each."""
    init_scale: float = 0.1
    """Standard deviation of the word vectors at the start: small, so that what is learned of a rare
    word outweighs what was drawn."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2, at_most=1 << 20)
        # A program's size grows with it.
        checks.check_field(self, "window", at_least=3, at_most=101)
        if self.window % 2 == 0:
            raise InputError(
                f"window must be odd, so that one word is the middle, found {self.window}"
            )
        if self.switch is not None:
            checks.check_field(self, "switch", at_least=1, at_most=self.window)
        for name in ("hidden", "noise", "groups", "size"):
            checks.check_field(self, name, at_least=1, at_most=1 << 16)
        checks.check_field(self, "margin", above=0, at_most=1e6)
        if self.loss != "ranking" and self.margin != Options.margin:
            raise InputError(f"margin means nothing to {self.loss}, only to ranking")
        # Beyond, powers of large counts overflow.
        checks.check_field(self, "noise_power", at_least=0, at_most=10)
        checks.check_field(self, "held_out", at_least=1e-4, at_most=0.5)
        checks.check_field(self, "stretch", at_least=self.window)
        checks.check_field(self, "learning_rate", above=0, at_most=10)
        checks.check_field(self, "final_rate", at_least=0, at_most=1)
        checks.check_field(self, "epochs", at_least=1)
        checks.check_field(self, "init_scale", at_least=0, at_most=1e6)

    @property
    def place(self) -> int:
        """The place in the window, from 0, of the word that is switched."""
        return self.window // 2 if self.switch is None else self.switch - 1
