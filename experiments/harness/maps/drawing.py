"""The pictures of a map: map.png, map.html, map.parquet and images.png."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.points import Points
from jaxemb.progress import phase
from jaxemb.projections.neighbors import Given, Metric, nearest_neighbors

from ..command import Common

if TYPE_CHECKING:
    from jaxemb.plots.point_map import Near

# The page shows as many neighbors of a point.
PAGE_NEIGHBORS = 10
# It shows the neighbors of at most this many points.
PAGE_NEIGHBORS_MOST = 100_000
# It shows the numbers of points that have no more than these.
SHOWN_NUMBERS = 10
# What the page calls a distance.
METRICS = {
    "cosine": "cosine",
    "euclidean": "Euclidean distance",
    "precomputed": "the distances given",
}


def draw(
    out: Path,
    points: Points,
    embedding: np.ndarray,
    title: str,
    *,
    metric: Metric | Given,
    axes_names: Sequence[str],
    columns: Mapping[str, np.ndarray],
) -> None:
    """Draws the map as map.png; in two dimensions also as map.html, and images at their points.

    Args:
      out: the run's folder.
      points: of the map.
      embedding: [N, d] the map.
      title: heading of the pictures.
      metric: by which the map was made.
      axes_names: what lies along each axis.
      columns: [N] each, what map.html shows of a point.
    """
    # Plotting libraries load slowly, and only now are they needed.
    from jaxemb.plots import image_map, scatter, word_map

    # The first two of more dimensions than can be drawn.
    shown = embedding if embedding.shape[1] <= 3 else embedding[:, :2]
    axes_names = axes_names[: shown.shape[1]]
    labels, classes = points.labels, points.classes
    picture = out / "map.png"
    # Words come most frequent first; names of a table's rows are one of its columns.
    ranked = points.names is not None and not points.columns
    with phase("drawing map.png"):
        if points.names is not None and ranked and shown.shape[1] == 2:
            word_map.write_png(picture, points.names, shown, axes_names=axes_names, title=title)
        else:
            scatter.write_map(
                picture,
                shown,
                labels=labels,
                classes=classes,
                names=points.names,
                axes_names=axes_names,
                title=title,
            )
    if shown.shape[1] != 2:
        return
    if points.images is not None:
        with phase("drawing images.png"):
            image_map.write_image_map(
                out / "images.png", shown, points.images, labels=labels, title=title
            )
    write_page(
        out,
        shown,
        points.values,
        metric=metric,
        names=points.names,
        ranked=ranked,
        images=points.images,
        labels=labels,
        classes=classes,
        columns=columns,
        axes_names=axes_names,
        title=title,
    )


def own_columns(points: Points) -> dict[str, np.ndarray]:
    """Returns what the page shows of each point: its columns, and of few named numbers these."""
    numbers = points.features or ()
    if len(numbers) > SHOWN_NUMBERS:
        numbers = ()
    # The names stand above the others.
    texts = {
        name: column for name, column in points.columns.items() if list(column) != points.names
    }
    return texts | dict(zip(numbers, points.values.T, strict=False))


def lay_out(key: jax.Array, vectors: np.ndarray) -> np.ndarray:
    """Returns places in a map, [N, 2], near one another where the cosine is large: by t-SNE.

    Fewer than ten points have too few neighbors for it and are laid out by PCA.
    """
    if len(vectors) < 10:
        from jaxemb.factorize import pca

        table = jnp.asarray(vectors)
        return np.asarray(pca.transform(pca.fit(table, components=2), table))
    from jaxemb.methods import tsne  # loads slowly

    perplexity = min(30.0, (len(vectors) - 1) / 3.5)
    return tsne.fit(key, vectors, tsne.Options(perplexity, metric="cosine")).embedding


def draw_space(
    common: Common,
    vectors: np.ndarray,
    *,
    names: Sequence[str],
    title: str,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    links: np.ndarray | None = None,
    named: bool = False,
    images: np.ndarray | None = None,
) -> np.ndarray:
    """Draws what lies in a space by its cosines: map.png, map.html, map.parquet.

    Args:
      common: seed and folder of the run.
      vectors: [N, D].
      names: [N] of them.
      title: heading of the pictures.
      labels: [N] int positions in `classes`.
      classes: [C] names.
      columns: what else is known of the points, by name.
      links: [L, 2] rows with a line between them in map.png.
      named: write names in map.png, the first ones where there is room.
      images: [M, H, W, 3] uint8 of the first M, which map.png shows at their points, and names of
        the others at theirs, instead of points and lines. None has none.

    Returns:
      [N, 2] the map.
    """
    from jaxemb.plots import image_map, scatter

    places = lay_out(jax.random.key(common.seed), vectors)
    picture = common.out / "map.png"
    page: dict[str, Any] = {}
    with phase("drawing map.png"):
        if images is not None:
            words = names[len(images) :]
            image_map.write_image_map(picture, places, images, words=words, title=title)
            page = {"images": images, "ranked": False}
        else:
            scatter.write_map(
                picture,
                places,
                labels=labels,
                classes=classes,
                names=names if named else None,
                links=links,
                title=title,
            )
    write_page(
        common.out,
        places,
        vectors,
        metric="cosine",
        names=names,
        labels=labels,
        classes=classes,
        columns=columns,
        title=title,
        **page,
    )
    return places


def write_page(
    out: Path,
    embedding: np.ndarray,
    values: np.ndarray,
    *,
    metric: Metric | Given,
    names: Sequence[str] | None = None,
    counts: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    **page: Any,
) -> None:
    """Writes a map as map.html, and for Embedding Atlas as map.parquet.

    Args:
      out: the run's folder.
      embedding: [N, 2] the map.
      values: [N, D] the points that it was made of.
      metric: by which it was made, and neighbors are nearest.
      names: [N] of the points.
      counts: [N] occurrences of the words.
      labels: [N] int positions in `classes`.
      classes: [C] names.
      columns: what else is known of the points, by name.
      **page: further arguments of `point_map.write_html`, which map.parquet has no place for.
    """
    from jaxemb.plots import point_map

    near = find_neighbors(values, metric)
    with phase("drawing map.html"):
        point_map.write_html(
            out / "map.html",
            embedding,
            names=names,
            counts=counts,
            labels=labels,
            classes=classes,
            columns=columns,
            near=near,
            **page,
        )
    if importlib.util.find_spec("pyarrow") is None:
        print("map.parquet is left out: pip install 'jaxemb[parquet]' for it")
        return
    from jaxemb.io import embedding_atlas

    known: dict[str, Any] = {}
    if names is not None:
        known["label"] = list(names)
    if labels is not None:
        known["class" if "label" in known else "label"] = [classes[label] for label in labels]
    if counts is not None:
        known["count"] = counts
    with phase("writing map.parquet"):
        embedding_atlas.write(
            out / "map.parquet",
            embedding,
            known | dict(columns or {}),
            neighbors=None if near is None else (near.ids, near.distances),
        )


def find_neighbors(points: np.ndarray, metric: Metric | Given) -> "Near | None":
    """Finds each point's neighbors in the full space, for the interactive map.

    Args:
      points: [N, D] finite.
      metric: by which they are nearest.

    Returns:
      The neighbors. None for fewer than four points and for more than 100,000, which is told: the
      page would be too large to move.
    """
    from jaxemb.plots.point_map import Near

    size = len(points)
    if size > PAGE_NEIGHBORS_MOST:
        print(f"map.html has no neighbors: {size:,} points are more than {PAGE_NEIGHBORS_MOST:,}")
    if not 4 <= size <= PAGE_NEIGHBORS_MOST:
        return None
    found = nearest_neighbors(points, k=min(PAGE_NEIGHBORS, size - 1), metric=metric)
    distances = np.maximum(found.distances, 0)
    if metric != "cosine":
        distances = np.sqrt(distances) / found.scale
    return Near(found.ids, distances, METRICS[metric])
