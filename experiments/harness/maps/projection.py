"""What the experiments that make a map share: their points, their scores, their files."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import tyro

from jaxemb import checks
from jaxemb.atomic import replacing
from jaxemb.data.points import Columns, Points
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError
from jaxemb.io.points import load
from jaxemb.progress import phase
from jaxemb.projections.distance_matrix import check_distances
from jaxemb.projections.neighbors import Given, Metric

from .. import command, run_folder
from .drawing import draw, own_columns

# Where experiments.word2vec leaves its vectors.
WORDS = Path("runs/word2vec/vectors.txt")
# Neighbors that the scores look at, where there are points enough.
NEIGHBORS = 10


@dataclasses.dataclass(frozen=True)
class PointFlags:
    """Which points to map; an experiment has these flags as its field `points`."""

    data: Annotated[str, tyro.conf.arg(metavar="NAME|FILE")] = "digits"
    """digits, mnist, cifar10, faces, words (of a run of experiments.word2vec), a table of numbers
    (.csv, .tsv, .txt, .parquet, .npy, .npz), a folder of pictures, whose subfolders are classes, or
    a file of word vectors, as of jaxemb query."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A label for each point of --data: .npy, text with one a line, or a table."""
    columns: Columns = Columns()
    layout: Layout = Layout()
    standardize: bool = False
    """Bring every column to mean 0 and standard deviation 1."""
    n: int = 0
    """Points used: the most frequent words, a random subset of other points; 0 for all."""

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "n", at_least=0)

    @property
    def name(self) -> str:
        """What headings call the points."""
        return Path(self.data).stem


class MapConfig(Protocol):
    """The fields that the configuration of every map has."""

    @property
    def points(self) -> PointFlags:
        """Which points to map."""

    @property
    def common(self) -> command.Common:
        """Seed and folders."""


def prepare(
    config: MapConfig,
    *,
    dim: int,
    metric: str | None = None,
    check: Callable[[Points], None] = lambda points: None,
) -> Points | None:
    """Reads the points and opens the run's folder.

    Args:
      config: the experiment's; config.json gets all of its fields.
      dim: dimensions of the map.
      metric: of the distances between points, "precomputed" if the data are distances; None for
        an experiment that has no such flag.
      check: refuses points that the experiment cannot map, by an InputError. It is called before
        the folder is made, so that the mended command may use the same one.

    Returns:
      The points; None if the folder holds this run, finished, which is then shown.

    Raises:
      InputError: if the points cannot be read, are fewer than 4 or no more than there are
        dimensions in the map, look like distances unasked, don't pass the check, or the folder
        holds something else.
    """
    command.use_cache()
    flags, common = config.points, config.common
    if flags.data == "words" and not WORDS.exists():
        raise InputError(
            f"{WORDS}: no such file: make it with python -m experiments.word2vec, or name a "
            "vectors file with --data"
        )
    if metric == "precomputed" and flags.standardize:
        raise InputError("standardize must be off with the metric 'precomputed', found on")
    points = load(
        flags.data,
        labels=flags.labels,
        columns=flags.columns,
        layout=flags.layout,
        standardize=flags.standardize,
        n=flags.n,
        seed=common.seed,
        data_dir=common.data_dir,
        vectors={"words": WORDS},
    )
    if metric == "precomputed":
        points = points._replace(values=between_rows(flags, points))
    elif not flags.columns.coordinates and look_like_distances(points.values):
        way = "--metric precomputed" if metric else "jaxemb tsne --metric precomputed"
        raise InputError(
            f"{flags.data}: is square, symmetric and zero on its diagonal, as distances are; {way} "
            "takes it as such, --coordinates as points like others"
        )
    size, width = points.values.shape
    least = max(4, dim + 1)
    if size < least:
        raise InputError(
            f"{flags.data}: {size} points are too few for a map of {dim} dimensions; at least "
            f"{least} are needed"
        )
    check(points)
    if not run_folder.open_run(common.out, config, points.sha256):
        return None
    if points.rows is not None:
        np.save(common.out / "rows.npy", points.rows)
    kinds = f", {len(points.classes):,} classes" if points.classes else ""
    print(f"{flags.data}: {size:,} points of {width:,} numbers{kinds}")
    return points


def look_like_distances(values: np.ndarray) -> bool:
    """Tells whether numbers [N, D] are likely the distances of all pairs."""
    if len(values) != values.shape[1] or np.diagonal(values).any():
        return False
    try:
        check_distances(values)
    except InputError:
        return False
    return True


def between_rows(flags: PointFlags, points: Points) -> np.ndarray:
    """Returns the distances between the rows used, of those between all.

    Raises:
      InputError: if the table is not square.
    """
    assert points.rows is not None
    width = points.values.shape[1]
    if points.rows[-1] >= width or (not flags.n and len(points.rows) != width):
        raise InputError(
            f"{flags.data}: distances must be a square matrix, found {len(points.rows):,} rows of "
            f"{width:,} numbers"
        )
    return np.ascontiguousarray(points.values[:, points.rows])


def score(
    points: np.ndarray,
    embedding: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    metric: str = "euclidean",
) -> dict[str, float]:
    """Judges a map.

    Args:
      points: [N, D] finite; with the metric "precomputed" their distances [N, N].
      embedding: [N, d] the map, finite.
      labels: [N] int from 0; None if there are none.
      metric: of the points' distances: "euclidean", "cosine" or "precomputed".

    Returns:
      Trustworthiness, continuity, preservation of neighbors, Shepard correlation and, with labels,
      accuracy of the nearest neighbors: `name: number`. Large sets by a sample of rows.
    """
    from jaxemb.evaluation import projection  # loads slowly

    if metric == "cosine":
        # Of vectors of length 1, the nearest by cosine are the nearest.
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    how: projection.Metric = "precomputed" if metric == "precomputed" else "euclidean"
    # The scores are defined for fewer neighbors than half of the points.
    k = min(NEIGHBORS, (len(points) - 1) // 2)
    found = {
        "neighbors": k,
        **projection.neighbor_scores(points, embedding, k=k, metric=how)._asdict(),
    }
    found["shepard"] = projection.shepard_correlation(points, embedding, metric=how)
    if labels is not None:
        found["knn_accuracy"] = projection.knn_accuracy(embedding, labels, k=k)
    return found


def write(
    out: Path,
    points: Points,
    embedding: np.ndarray,
    figures: Mapping[str, object],
    *,
    title: str,
    metric: Metric | Given = "euclidean",
    axes_names: Sequence[str] = (),
    held_out: np.ndarray | None = None,
) -> None:
    """Writes embedding.npy, map.png, map.html and summary.json, and prints the scores.

    Args:
      out: the run's folder.
      points: from `prepare`.
      embedding: [N, d] the map, in their order.
      figures: for the summary, at least `seconds`; the scores are added. The experiment's own
        pictures and files must be written before: the summary says that the run is finished.
      title: heading of the pictures.
      metric: by which the map was made, and neighbors are nearest.
      axes_names: what lies along each axis; none for a map whose axes mean nothing.
      held_out: numbers of points placed afterwards, which map.html tells.

    Raises:
      InputError: if the map is not finite.
      OSError: if a file cannot be written.
    """
    bad = int((~np.isfinite(embedding).all(axis=1)).sum())
    if bad:
        raise InputError(f"{bad:,} of {len(embedding):,} points of the map are not finite")
    with replacing(out / "embedding.npy") as part, part.open("wb") as file:
        np.save(file, np.asarray(embedding, np.float32))
    with phase("scoring the map"):
        scores = score(points.values, embedding, points.labels, metric=metric)
    for name, value in scores.items():
        print(f"  {name:>15}: {value:.4g}")
    columns = own_columns(points)
    if held_out is not None and len(held_out):
        columns["placed"] = np.full(len(embedding), "with the others")
        columns["placed"][held_out] = "afterwards"
    draw(out, points, embedding, title, metric=metric, axes_names=axes_names, columns=columns)
    run_folder.finish(out, {"points": len(embedding), **figures, **scores})


def score_held_out(
    out: Path, points: Points, embedding: np.ndarray, kept: np.ndarray, held_out: np.ndarray
) -> dict[str, float]:
    """Judges points that were placed into a finished map, and writes held_out.npy.

    Args:
      out: the run's folder; held_out.npy tells which rows of embedding.npy they are.
      points: all.
      embedding: [N, d] the map of all.
      kept: numbers of the points that the map was made of.
      held_out: numbers of those placed afterwards, at least one.

    Returns:
      `held_out`, their number, and with labels `held_out_knn_accuracy`: the share whose class is
      that of most of their nearest neighbors among those kept.
    """
    with replacing(out / "held_out.npy") as part, part.open("wb") as file:
        np.save(file, np.sort(held_out))
    figures: dict[str, float] = {"held_out": len(held_out)}
    told = f"{len(held_out):,} points placed afterwards"
    if points.labels is not None:
        from sklearn.neighbors import KNeighborsClassifier

        judge = KNeighborsClassifier(min(NEIGHBORS, len(kept)))
        judge.fit(embedding[kept], points.labels[kept])
        accuracy = float(judge.score(embedding[held_out], points.labels[held_out]))
        figures["held_out_knn_accuracy"] = accuracy
        told += f": accuracy of their nearest neighbors {accuracy:.3f}"
    print(told)
    return figures
