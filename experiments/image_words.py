"""Pictures and words in one space: words find pictures, and pictures words.

    python -m experiments.image_words

Two busy cores of an AMD EPYC, 6.2 minutes: keywords P@1 50.4%, mAP 37.7%, across styles 73.2%.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import retrieve
from jaxemb.memory import require_memory
from jaxemb.methods import image_words
from jaxemb.models import picture_words
from jaxemb.progress import phase

from .harness import command, run_folder
from .harness.maps import drawing
from .harness.means import Mean, mean_of
from .harness.spaces import pictured, scores, styles
from .harness.spaces.pictured import Pictured
from .harness.tables import markdown

# The line of the table in README.md, of entries of summary.json.
FIGURE = "keywords P@1 {precision:.1%}, mAP {map:.1%}, across styles {styles_inverted_softmax:.1%}"

# Words whose nearest pictures are shown, and how many of these.
SHOWN, NEAREST = 6, 5
# Rows of table.md, in this order: name in summary.json, and what it is.
ROWS = {
    "precision": "keywords, P@1",
    "map": "keywords, mAP",
    "neighbors_precision": "keywords by 5 neighbors, P@1",
    "neighbors_map": "keywords by 5 neighbors, mAP",
    **{f"found_at_{k}": f"text to picture, R@{k}" for k in scores.KS},
    **{f"told_at_{k}": f"picture to text, R@{k}" for k in scores.KS},
    "styles_plain": "the other style by descriptors",
    "styles_nearest": "the other style, nearest",
    "styles_csls": "the other style, CSLS",
    "styles_inverted_softmax": "the other style, inverted softmax",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Learns a space of pictures and words from pictures with words.

    Judged on a fifth of the pictures, of which nothing was learned, some times over: are keywords
    told from the picture, is the picture found by its name and the name by its picture, and the
    same emoji in another drawing style? Then it learns from all pictures and writes search.html (a
    page where one types words and sees pictures), map.html and map.png (pictures and words in one
    map), words.npz and pictures.npz (the vectors), model/ (for jaxemb.io.load), table.md and
    summary.json to --out. Pictures are described as drawings: of photographs they say little.
    """

    pictures: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """A folder of pictures of one's own, with --words. None: emoji in two drawing styles."""
    words: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A line for each picture: its name in the folder, a tab, and words. Pictures without words are
    placed by their looks."""
    options: styles.Options = styles.Options()
    splits: int = 5
    """Times that a fifth of the pictures is held out."""
    drawn: int = 1500
    """Pictures and words on the map, each, at most; words are those of most pictures."""
    common: command.Common = command.Common(out=Path("runs/image_words"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "splits", at_least=1)
        checks.check_field(self, "drawn", at_least=10)
        if (self.pictures is None) != (self.words is None):
            lacking = "pictures" if self.pictures is None else "words"
            raise InputError(
                f"{lacking} must be given, too: a folder of pictures, and words of each"
            )


# What the test of this script runs.
SMOKE = Config(
    options=styles.Options(dim=16, penalties=(0.3,), ridges=(0.3,), directions=40),
    splits=2,
    drawn=40,
)


def run(config: Config) -> None:
    """Reads, judges, learns, writes and draws."""
    command.use_cache()
    out = config.common.out
    given = read(config)
    labels = scores.common_words(given.keywords)
    if not labels:
        raise InputError(
            f"no word is of {scores.LEAST} pictures or more: pictures must share words to be "
            "learned from"
        )
    points, words = len(given.names) * len(given.images), len(set().union(*given.words))
    require_memory(
        4 * (3 * points**2 + 4 * points * words),
        f"{len(given.names):,} pictures with {words:,} words",
        "take fewer pictures",
    )
    if not run_folder.open_run(out, config, given.sha256):
        return
    drawn = f" in {len(given.images)} styles" if len(given.images) > 1 else ""
    print(
        f"{len(given.names):,} pictures{drawn} with {words:,} words, {len(labels):,} of them "
        f"keywords of {scores.LEAST} pictures or more"
    )
    truth = picture_words.bags(given.keywords, labels)
    with phase("describing pictures"):
        descriptors = {
            style: picture_words.describe(images) for style, images in given.images.items()
        }
    figures = judge(config, given, descriptors, truth)
    fitted, vectors = learn(config, given, descriptors, truth)
    space = fitted.model.space
    io.save(out / "model", fitted)
    print("\nwords, and the pictures nearest to them:")
    counts = truth.sum(axis=0)
    examples = [labels[at] for at in np.argsort(-counts, kind="stable")[: 2 * SHOWN : 2]]
    names, images = pictured.everything(given)
    near = retrieve(
        jnp.asarray(picture_words.encode_texts(space, [[word] for word in examples])),
        jnp.asarray(vectors),
        k=min(NEAREST, len(vectors)),
        by="nearest",
    )
    for word, found in zip(examples, near.ids, strict=True):
        print(f"  {word:>15}: {', '.join(names[at] for at in found)}")
    with phase("writing words.npz and pictures.npz"):
        io.write(out / "words.npz", space.words, space.vectors)
        io.write(out / "pictures.npz", pictured.unlike(given, names), vectors)
    write_search(config, space, names, images, vectors, examples)
    draw(config, given, space, vectors)
    run_folder.finish(out, figures)


def read(config: Config) -> Pictured:
    """Returns the pictures and their words."""
    if config.pictures is None or config.words is None:
        return pictured.read_emoji(config.common.data_dir)
    return pictured.read_own(config.pictures, config.words)


def judge(
    config: Config, given: Pictured, descriptors: styles.Descriptors, truth: np.ndarray
) -> dict[str, float]:
    """Holds out a fifth of the pictures, some times over, prints the scores and writes table.md.

    Returns:
      Means over the splits, and half the width of their 95% intervals.
    """
    seed, rows = config.common.seed, np.arange(len(given.names))
    several = []
    for number in range(config.splits):
        with phase(f"judging on a fifth, {number + 1} of {config.splits}"):
            parts = scores.split(rows, (seed, number))
            # Of what is learned from, a fifth chooses; what is judged by has no say.
            penalty, ridge = scores.choose(
                descriptors, truth, parts.known, (seed, number, 1), config.options
            )
            several.append(
                scores.judge(
                    descriptors,
                    given.words,
                    given.texts,
                    truth,
                    parts,
                    config.options,
                    penalty=penalty,
                    ridge=ridge,
                )
            )
        chosen = f"penalty {penalty:g}" + ("" if ridge is None else f", ridge {ridge:g}")
        print(f"  split {number + 1}: {chosen}; keywords P@1 {several[-1]['precision']:.1%}")
    held = len(rows) // 5
    means = {name: mean_of(one[name] for one in several) for name in several[0]}
    lines = markdown(
        ("", "mean %", "± 95%"),
        [(what, *_cells(means[name])) for name, what in ROWS.items() if name in means],
        figures=True,
    )
    print(f"\n{held:,} held-out pictures, means of {config.splits} splits:\n" + "\n".join(lines))
    with replacing(config.common.out / "table.md") as part:
        part.write_text("\n".join(lines) + "\n")
    return (
        {"pictures": len(rows), "keywords": truth.shape[1], "held_out": held}
        | {name: mean.value for name, mean in means.items()}
        | {f"{name}_interval": mean.interval for name, mean in means.items()}
    )


def learn(
    config: Config, given: Pictured, descriptors: styles.Descriptors, truth: np.ndarray
) -> tuple[image_words.Fitted, np.ndarray]:
    """Learns the space from all pictures.

    Returns:
      The space, and where all pictures lie: of each style, then those without words.
    """
    seed, rows = config.common.seed, np.arange(len(given.names))
    with phase("learning from all pictures"):
        penalty, _ = scores.choose(
            descriptors, truth, rows, (seed, config.splits, 1), config.options
        )
        drawings = tuple(given.images.values())
        fitted = image_words.fit(drawings, given.words, config.options.space(penalty))
        vectors = [
            image_words.encode(fitted.model, images, drawing=number)
            for number, images in enumerate(drawings)
        ]
        if given.others:
            vectors.append(image_words.encode(fitted.model, given.other_images))
    return fitted, np.concatenate(vectors)


def write_search(
    config: Config,
    space: picture_words.Space,
    names: list[str],
    images: np.ndarray,
    vectors: np.ndarray,
    examples: list[str],
) -> None:
    """Writes search.html."""
    from jaxemb.plots import picture_search  # Matplotlib loads slowly

    with phase("writing search.html"):
        picture_search.write_html(
            config.common.out / "search.html",
            images,
            vectors,
            space.words,
            space.vectors,
            names=names,
            examples=examples,
        )


def draw(config: Config, given: Pictured, space: picture_words.Space, vectors: np.ndarray) -> None:
    """Draws pictures of the first style, and the words of most pictures, in one map."""
    count = min(config.drawn, len(given.names))
    rows = np.linspace(0, len(given.names) - 1, count).astype(int)
    style, images = next(iter(given.images.items()))
    often = picture_words.bags(given.words, space.words).sum(axis=0)
    words = np.argsort(-often, kind="stable")[: config.drawn]
    words = words[often[words] >= scores.LEAST]
    named = [space.words[at] for at in words]
    read_ = picture_words.encode_texts(space, [[word] for word in named])
    drawing.draw_space(
        config.common,
        np.concatenate([vectors[: len(given.names)][rows], read_]),
        names=[*(given.names[row] for row in rows), *named],
        images=images[rows],
        labels=np.repeat([0, 1], [len(rows), len(words)]),
        classes=(style, "words"),
        title=f"{len(rows):,} pictures and {len(words):,} words in one space, by t-SNE",
    )


def _cells(mean: Mean) -> tuple[str, str]:
    return f"{100 * mean.value:.1f}", "–" if np.isnan(
        mean.interval
    ) else f"{100 * mean.interval:.1f}"


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
