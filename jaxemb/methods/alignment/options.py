"""What a map of one language onto another may be told."""

import dataclasses
from typing import Literal

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import Retrieval
from jaxemb.fields import documented

# What is done to the vectors of a language before it is mapped, one after another.
Normalization = Literal["unit", "center"]


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the maps, vectors and pairs given."""

    map: Literal["procrustes", "ridge", "canonical"] = "canonical"
    """procrustes: the source is turned; ridge: it is mapped by least squares; canonical: both are
    mapped to the directions in which they agree."""
    ridge: float | None = None
    """Penalty on the map's size, a share of the mean variance; 0 for plain least squares, which
    canonical cannot take. None: what finds most held-out pairs again; without pairs, 1."""
    power: float | None = None
    """Power of the correlation that weighs a direction of the canonical map. None: likewise, or
    0.5."""
    normalize: tuple[Normalization, ...] = ("unit", "center", "unit")
    """What is done to the vectors before, in this order."""
    ridges: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)
    """Penalties that are tried where none is given."""
    powers: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    """Powers that are tried where none is given."""
    folds: int = 5
    """Parts of the pairs; each is found again by the maps of the others."""
    retrieval: Retrieval = "csls"
    """How a translation is looked up: by cosine, or corrected for words that are near to all."""
    neighbors: int = 10
    """Neighbors that the correction csls looks at."""
    temperature: float = 0.1
    """Of the correction inverted_softmax."""
    begin: Literal["identical", "similarities", "gromov_wasserstein"] = "identical"
    """Where pairs come from if none are given: words that are spelled alike; words as similar to
    the others of their language; or a coupling that keeps similarities (needs ott-jax)."""
    coupled: int = 1000
    """Words of each language, the first, that gromov_wasserstein couples."""
    epsilon: float = 0.05
    """Entropy of that coupling, a share of the standard deviation of costs."""
    refinements: int | None = None
    """Times that words which are each other's first translation become the pairs, beside those
    given. None: none with pairs, else 5."""
    rounds: int | None = None
    """Times, at most, that turns are sought before, by pairs of which some are left out by chance.
    None: none with pairs or words spelled alike, else 500."""
    frequent: int = 4000
    """Words of each language, the first, that turns are sought by, and that tell which words are
    near to all while the map is chosen."""
    candidates: int = 20_000
    """Words of each language, the first, that pairs are refined among; those of the target are
    what held-out pairs are looked up among while the map is chosen, beside those of the pairs."""
    first_keep: float = 0.1
    """Share of the cosines looked at in the first rounds: what is left out by chance helps out of
    poor solutions. It doubles as rounds make nothing better."""
    patience: int = 10
    """Rounds that may make nothing better before that."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if self.ridge is not None:
            checks.check_field(self, "ridge", at_least=0)
        for name in ("ridges", "powers"):
            if not getattr(self, name) or min(getattr(self, name)) < 0:
                raise InputError(f"{name} must be some numbers of at least 0")
        if self.map == "canonical" and 0 in (self.ridge, *self.ridges):
            raise InputError("ridge must be more than 0 for the map canonical, found 0")
        if self.power is not None:
            checks.check_field(self, "power", at_least=0)
        checks.check_field(self, "folds", at_least=2)
        checks.check_field(self, "neighbors", at_least=1)
        checks.check_field(self, "temperature", above=0)
        for name in ("refinements", "rounds"):
            if getattr(self, name) is not None:
                checks.check_field(self, name, at_least=0)
        checks.check_field(self, "frequent", at_least=2)
        checks.check_field(self, "coupled", at_least=2)
        checks.check_field(self, "epsilon", above=0)
        checks.check_field(self, "candidates", at_least=1)
        checks.check_field(self, "first_keep", above=0, at_most=1)
        checks.check_field(self, "patience", at_least=1)
