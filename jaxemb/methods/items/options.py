"""What vectors of items depend on, beside the events."""

import dataclasses
from typing import Literal

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented

Method = Literal["ials", "bpr", "item2vec", "two_towers"]
# Which methods a field means something to; the others have them all.
_USERS: dict[str, tuple[Method, ...]] = {
    "alpha": ("ials",),
    "regularization": ("ials", "bpr"),
    "learning_rate": ("bpr", "item2vec", "two_towers"),
    "batch": ("bpr", "two_towers"),
    "window": ("item2vec",),
    "negatives": ("item2vec",),
    "subsample": ("item2vec",),
    "noise_power": ("item2vec",),
    "latest": ("two_towers",),
    "most_features": ("two_towers",),
    "dropped": ("two_towers",),
    "temperature": ("two_towers",),
}


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the vectors, events given."""

    method: Method = "ials"
    """ials: weighted factorization of users times items, solved exactly in turn; bpr: what a user
    has is ranked above what the user has not; item2vec: skip-gram on each user's items in order;
    two_towers: the next item is told from others by the items before, each a mean of vectors of
    itself and of its features, so that those alone place a new one."""
    dim: int = 64
    """Width of the vectors."""
    epochs: int | None = None
    """Passes over the events. None takes 10 for ials, 12 for two_towers, 30 for bpr and
    item2vec."""
    min_count: int | None = None
    """Items with fewer events have zero vectors and are never recommended; in two_towers, features
    alone. None takes 1 for ials, whose vectors of rare items lie near their users', 2 for
    two_towers, and 10 for the others, whose are noise."""
    alpha: float = 3.0
    """What an event adds to the confidence of a pair of user and item, which is 1 without, times
    its weight."""
    regularization: float | None = None
    """Penalty on the squares of the vectors. None takes 2 for ials and 0.01 for bpr."""
    learning_rate: float | None = None
    """At the start; it falls to nearly 0. None takes 0.2 for bpr, 0.04 for item2vec and 0.01 for
    two_towers."""
    batch: int = 1024
    """Events of a step; of two_towers at least 2, each told from the others."""
    window: int = 10
    """Neighbors in a user's sequence that count, at most, to each side."""
    negatives: int = 5
    """Noise items per prediction."""
    subsample: float = 1e-3
    """Relative frequency above which items are left out now and then; 0 keeps all."""
    noise_power: float = 0.75
    """Noise items are drawn in proportion to this power of their counts."""
    latest: int = 10
    """Items before an event that make the user's vector in training, the newest ones."""
    most_features: int = 8
    """Features of an item that count, the most frequent ones."""
    dropped: float = 0.1
    """Share of items whose own vectors are left out at random in training."""
    temperature: float = 0.1
    """What cosines are divided by in training."""
    decay: float = 0.8
    """What an event weighs in a user's vector, as a share of the next one's: 1 for all alike."""

    def __post_init__(self) -> None:
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2, at_most=1 << 14)
        if self.epochs is not None:
            checks.check_field(self, "epochs", at_least=1)
        if self.min_count is not None:
            checks.check_field(self, "min_count", at_least=1)
        checks.check_field(self, "alpha", above=0, at_most=1e6)
        if self.regularization is not None:
            checks.check_field(self, "regularization", above=0, at_most=1e6)
        if self.learning_rate is not None:
            checks.check_field(self, "learning_rate", above=0, at_most=10)
        checks.check_field(self, "batch", at_least=1)
        checks.check_field(self, "window", at_least=1, at_most=100)
        checks.check_field(self, "negatives", at_least=1)
        checks.check_field(self, "subsample", at_least=0, at_most=1)
        checks.check_field(self, "noise_power", at_least=0, at_most=10)
        checks.check_field(self, "latest", at_least=1, at_most=1000)
        checks.check_field(self, "most_features", at_least=1)
        checks.check_field(self, "dropped", at_least=0, at_most=1)
        checks.check_field(self, "temperature", above=0, at_most=100)
        checks.check_field(self, "decay", above=0, at_most=1)
        for name, users in _USERS.items():
            if self.method not in users and getattr(self, name) != getattr(type(self), name):
                raise InputError(
                    f"{name} means nothing to {self.method}, only to {' and '.join(users)}"
                )

    @property
    def passes(self) -> int:
        """Passes over the events."""
        return self.epochs or {"ials": 10, "two_towers": 12}.get(self.method, 30)

    @property
    def least(self) -> int:
        """Events that an item needs."""
        return self.min_count or {"ials": 1, "two_towers": 2}.get(self.method, 10)

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        rates = {"ials": 1.0, "bpr": 0.2, "item2vec": 0.04, "two_towers": 0.01}
        return self.learning_rate or rates[self.method]

    @property
    def penalty(self) -> float:
        """The penalty on the squares of the vectors."""
        return self.regularization or {"ials": 2.0, "bpr": 0.01}.get(self.method, 0.0)
