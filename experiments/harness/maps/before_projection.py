"""`projection` for experiments whose configuration still inherits its fields."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jaxemb.data.files import default_data_dir
from jaxemb.data.points import Points

from .. import command
from . import projection
from .projection import score as score
from .projection import score_held_out as score_held_out
from .projection import stop_if_asked as stop_if_asked


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields of every map; an experiment adds its own."""

    data: Annotated[str, tyro.conf.arg(metavar="NAME|FILE")] = "digits"
    """digits, mnist, cifar10, faces, words (of a run of experiments.word2vec), a .npy array [N, D]
    or .csv of numbers, or word vectors (.txt, .vec, .bin, .safetensors)."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A label for each point of --data: .npy, or text with one a line."""
    n: int = 0
    """Points used: of words the most frequent, of others a random subset; 0 for all."""
    dim: int = 2
    """Dimensions of the map."""
    seed: int = 0
    """Same seed, same bits."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/map")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        command.check_field(self, "n", at_least=0)
        command.check_field(self, "dim", at_least=1)
        command.check_seed(self)

    @property
    def points(self) -> projection.PointFlags:
        """Which points to map."""
        return projection.PointFlags(self.data, self.labels, self.n)

    @property
    def common(self) -> command.Common:
        """Seed and folders."""
        return command.Common(seed=self.seed, out=self.out, data_dir=self.data_dir)


def prepare(
    config: Config, *, check: Callable[[Points], None] = lambda points: None
) -> Points | None:
    """Reads the points and opens the run's folder, as `projection.prepare`."""
    return projection.prepare(config, dim=config.dim, check=check)


def write(
    config: Config,
    points: Points,
    embedding: np.ndarray,
    figures: Mapping[str, object],
    *,
    title: str,
) -> None:
    """Writes the map's files, as `projection.write`."""
    heading = f"{config.points.name}: {title}"
    projection.write(config.out, points, embedding, figures, title=heading)
