"""What determines a map of t-SNE, the points given."""

import dataclasses
import math
import numbers
from typing import Literal

import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.methods.tsne.step import Rule
from jaxemb.projections.grid import Mesh
from jaxemb.projections.initialization import Initialization
from jaxemb.projections.neighbors import Engine, Given, Lists, Metric
from jaxemb.projections.repulsion import ACCURATE, FAST

_MOST_STEPS = 2**31 - 1


@documented
@dataclasses.dataclass(frozen=True)
class Grids:
    """Which grid sums the repulsion; each stays within the error that is asked for.

    They matter for speed. Grids of other sizes round differently, so that a map is another one,
    as good.
    """

    smallest_grid: tuple[int, int, int] = (1024, 270, 32)
    """Nodes along an axis of the smallest grid, of maps in one, two and three dimensions. In two,
    it holds maps of a few thousand points to the end."""
    grid_growth: tuple[float, float, float] = (4.0, 512 / 270, 1.5)
    """How much larger the next grid is, in each; finer steps would save less than compiling takes.
    """
    large_grid: int = 2**20
    """From this many padded nodes on the next grid is 1.5 times as large: its transforms take
    longer than a compilation."""
    early_fineness: float = 8.0
    """How much finer the smallest grid is while the map is small: without, the forces of a map
    less than a unit wide would be a sixth too small."""
    pair_cost: float = 1.0
    """Nanoseconds for a pair of points; all pairs are summed where that is quicker than a grid."""
    node_cost: float = 5.0
    """Nanoseconds for a node of the padded grid."""
    touch_cost: float = 6.0
    """Nanoseconds for a node that a point touches."""

    def __post_init__(self) -> None:
        """Refuses grids that hold no map.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if len(self.smallest_grid) != 3 or min(self.smallest_grid) < 16:
            raise InputError(
                f"smallest_grid must be three numbers of at least 16, found {self.smallest_grid}"
            )
        if len(self.grid_growth) != 3 or not min(self.grid_growth) >= 1.1:
            raise InputError(
                f"grid_growth must be three numbers of at least 1.1, found {self.grid_growth}"
            )
        checks.check_field(self, "large_grid", at_least=1)
        checks.check_field(self, "early_fineness", at_least=1)
        for name in ("pair_cost", "node_cost", "touch_cost"):
            checks.check_field(self, name, at_least=0)


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines a map, the points given."""

    perplexity: float | tuple[float, ...] | None = None
    """How many neighbors a point sees, from 1 to less than a third of the points; several make the
    mean of their affinities. None: 30, or as many as there can be."""
    dim: int = 2
    """Dimensions of the map: 1, 2 or 3."""
    iterations: int = 750
    """Steps of the descent."""
    learning_rate: float | None = None
    """Factor on the gradient; None: the number of points over the exaggeration."""
    exaggeration: float = 12.0
    """Factor on the attraction in the early steps."""
    early_iterations: int = 250
    """How many early steps there are."""
    initialization: Initialization = "pca"
    """Where points begin: by PCA (of distances by classical scaling, which is the same), by the
    graph's eigenvectors, or at random."""
    metric: Metric | Given = "euclidean"
    """Distance by which neighbors are nearest; with precomputed, the data are the points'
    distances [N, N]."""
    neighbors: Engine = "auto"
    """Search for neighbors: exact, or approximate, which auto takes for large data on a CPU."""
    neighbors_per_perplexity: float = 3.0
    """Neighbors of a point that have a probability, as a multiple of the largest perplexity."""
    repulsion: Literal["fast", "accurate", "exact"] = "fast"
    """Relative error of the repulsion: below 3e-2, below 1e-3, or none, comparing all pairs."""
    jitter: float = 0.0
    """Noise that parts points in the same place, as a share of the points' standard deviation."""
    min_gradient_norm: float = 0.0
    """A run ends when its gradient is shorter, after the early steps; 0 takes all steps."""
    early_momentum: float = 0.5
    """Share of the last step that the next one keeps, in the early steps."""
    momentum: float = 0.8
    """Share of the last step that the next one keeps, in later steps."""
    gain_increase: float = 0.2
    """Added to a coordinate's gain where its gradient turns back (Jacobs 1988)."""
    gain_decay: float = 0.8
    """Factor on the gain where the gradient goes on."""
    least_gain: float = 0.01
    """Smallest gain."""
    max_step_norm: float = 5.0
    """Length of a point's longest step, in units of the map: longer ones throw points out of
    tight clusters. inf: no limit."""
    start_deviation: float = 1e-4
    """Standard deviation of the first coordinate at the start."""
    start_noise: float = 1e-2
    """Noise at the start, as a share of that; without, points that begin on a line stay there."""
    measure_every: int = 50
    """Steps from one measurement of the KL to the next."""
    grids: Grids = Grids()
    """Which grid sums the repulsion."""
    lists: Lists = Lists()
    """How an approximate search finds neighbors."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        if isinstance(self.perplexity, (list, np.ndarray)):
            object.__setattr__(self, "perplexity", tuple(self.perplexity))
        checks.check_fields(self)
        if self.perplexity == ():
            raise InputError("perplexity must be a number, or several, found none")
        if self.perplexity is not None:
            several = self.perplexity if isinstance(self.perplexity, tuple) else (self.perplexity,)
            for value in several:
                # NaN fails this comparison.
                if not (isinstance(value, numbers.Real) and value >= 1):
                    raise InputError(f"perplexity must be at least 1, found {value}")
        checks.check_field(self, "dim", at_least=1, at_most=3)
        checks.check_field(self, "iterations", at_least=1, at_most=_MOST_STEPS)
        if self.learning_rate is not None:
            checks.check_field(self, "learning_rate", above=0)
            if not math.isfinite(self.learning_rate):
                raise InputError("learning_rate must be finite")
        checks.check_field(self, "exaggeration", at_least=1, at_most=1e6)
        checks.check_field(self, "early_iterations", at_least=0, at_most=_MOST_STEPS)
        checks.check_field(self, "neighbors_per_perplexity", at_least=1, at_most=1e6)
        checks.check_field(self, "jitter", at_least=0, at_most=1e6)
        if self.metric == "precomputed":
            if self.jitter:
                raise InputError("jitter must be 0 with precomputed distances: it moves points")
            if self.neighbors == "approximate":
                raise InputError('neighbors must be "exact" or "auto" with precomputed distances')
        checks.check_field(self, "min_gradient_norm", at_least=0)
        for name in ("early_momentum", "momentum", "gain_decay"):
            checks.check_field(self, name, at_least=0, at_most=1)
        checks.check_field(self, "gain_increase", at_least=0, at_most=1e6)
        checks.check_field(self, "least_gain", above=0, at_most=1e6)
        checks.check_field(self, "max_step_norm", above=0)
        checks.check_field(self, "start_deviation", above=0, at_most=1e6)
        checks.check_field(self, "start_noise", at_least=0, at_most=1e6)
        checks.check_field(self, "measure_every", at_least=1, at_most=_MOST_STEPS)

    @property
    def rule(self) -> Rule:
        """What every step does alike."""
        return Rule(
            self.gain_increase,
            self.gain_decay,
            self.least_gain,
            self.max_step_norm,
            self.min_gradient_norm,
        )

    @property
    def mesh(self) -> Mesh | None:
        """How fine the repulsion's grids are; None sums over all pairs."""
        return {"fast": FAST, "accurate": ACCURATE, "exact": None}[self.repulsion]


@documented
@dataclasses.dataclass(frozen=True)
class TransformOptions:
    """What determines where new points land, the map given."""

    perplexity: float | None = None
    """How many of the map's points a new one sees, from 1 to a third of them; fewer than in the
    map's making keep it from landing between clusters. None: 5, or as many as there can be."""
    iterations: int = 250
    """Steps of gradient descent."""
    learning_rate: float = 0.1
    """Factor on the gradient, at most 0.5."""
    momentum: float = 0.8
    """Share of the last step that the next one keeps."""
    neighbors_per_perplexity: float = 3.0
    """Neighbors of a point that have a probability, as a multiple of the perplexity."""
    repulsion: Literal["fast", "accurate"] = "fast"
    """Relative error of the repulsion: below 3e-2, or below 1e-3."""
    margin: float = 10.0
    """Units around the map in which new points may lie."""

    def __post_init__(self) -> None:
        """Refuses values outside their documented range.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if self.perplexity is not None:
            checks.check_field(self, "perplexity", at_least=1)
        checks.check_field(self, "iterations", at_least=0, at_most=_MOST_STEPS)
        checks.check_field(self, "learning_rate", above=0, at_most=0.5)
        checks.check_field(self, "momentum", at_least=0, at_most=1)
        checks.check_field(self, "neighbors_per_perplexity", at_least=1, at_most=1e6)
        checks.check_field(self, "margin", above=0, at_most=1e6)

    @property
    def mesh(self) -> Mesh:
        """How fine the repulsion's grid is."""
        return {"fast": FAST, "accurate": ACCURATE}[self.repulsion]
