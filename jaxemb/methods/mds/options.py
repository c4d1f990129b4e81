"""The numbers of multidimensional scaling."""

import dataclasses
from typing import Literal

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines a map, the distances given."""

    method: Literal["smacof", "gradient", "classical", "sampled"] = "smacof"
    """smacof: majorization, the stress never rises; gradient: of the stress, with momentum;
    classical: by eigenvectors; sampled: of any number of points, by samples of their pairs."""
    metric: Literal["euclidean", "precomputed"] = "euclidean"
    """euclidean: the data are points [N, D]; precomputed: their distances [N, N]."""
    dim: int = 2
    """Dimensions of the map, less than the points."""
    iterations: int | None = None
    """At most; sampled takes all. None: 300, for sampled 5,000."""
    tolerance: float = 1e-5
    """Relative change of the stress in an iteration below which the map has converged; 0 takes all
    iterations: smacof and gradient."""
    window: int = 10
    """Iterations over which this change is averaged; convergence is judged once in each window."""
    rounding: float = 1e-11
    """Stress, as a share of the sum of the squared distances, that is nothing but rounding."""
    initialization: Literal["classical", "random"] = "classical"
    """Where points begin; for sampled, classical means the first principal components."""
    noise: float = 1e-4
    """Parts equal positions of the classical start, in standard deviations of the positions:
    smacof and gradient."""
    learning_rate: float = 1.0
    """Of gradient, in units of SMACOF's step, 1 / (2 N); more than 2 can be too much. It is
    halved whenever the stress climbs above that where the points were last at rest."""
    momentum: float = 0.9
    """Of gradient."""
    subset: int = 1024
    """Points an iteration: sampled; N if there are fewer."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=1)
        if self.iterations is not None:
            checks.check_field(self, "iterations", at_least=1)
        checks.check_field(self, "tolerance", at_least=0, at_most=0.1)
        checks.check_field(self, "window", at_least=2)
        checks.check_field(self, "rounding", at_least=0, at_most=0.1)
        checks.check_field(self, "noise", at_least=0, at_most=1)
        checks.check_field(self, "learning_rate", above=0, at_most=100)
        checks.check_field(self, "momentum", at_least=0, at_most=0.999)
        checks.check_field(self, "subset", at_least=2)
        if self.method == "sampled" and self.metric == "precomputed":
            raise InputError(
                'metric must be "euclidean" where pairs are sampled: a matrix has all pairs, for '
                "which the other methods are made"
            )
