"""Relationships between words as directions: analogies, parallel offsets, kinds of neighbors.

    python -m experiments.relations --vectors runs/word2vec/vectors.txt

Two busy cores of an AMD EPYC, 1.5 minutes: man and woman: 3CosAdd 73.2%, cosine of offsets 0.30, of
shuffled ones 0.14.
"""

import dataclasses
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.data.files import file_sha256
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.data.word_pairs import (
    Relation,
    parse_relations,
    read_countries,
    read_relations,
    relations_of,
)
from jaxemb.data.word_sets import AnalogySection, read_analogies
from jaxemb.errors import InputError
from jaxemb.evaluation.analogies import analogies
from jaxemb.evaluation.measures import MEASURES
from jaxemb.evaluation.neighbors import nearest, nearest_by
from jaxemb.evaluation.parallelism import parallelism
from jaxemb.losses.distances import unit

from .harness import command, run_folder
from .harness.words.relation_lists import CLASSIC, PAIRS
from .harness.words.relation_report import (
    Found,
    draw,
    figures_of,
    plain_name,
    print_relations,
    write_tables,
)

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "man and woman: 3CosAdd {man_woman_percent_add:.1f}%, cosine of offsets "
    "{man_woman_cosine:.2f}, of shuffled ones {man_woman_cosine_shuffled:.2f}"
)

# The first of these that the vectors have are shown with their neighbors.
SHOWN = ("frog", "france", "king", "music", "blue", "array", "sin", "mean", "thread", "json")
SHOWN_COUNT = 4


@dataclasses.dataclass(frozen=True)
class Config:
    """Looks at relationships in the word vectors of any file.

    Writes relations.csv, unknown.csv (the words of pairs that the vectors lack), parallelism.png,
    substructures.png, substructures/*.png and summary.json to --out.
    """

    vectors: Path
    """Word vectors, in any format that jaxemb.io reads."""
    pairs: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE")] = ()
    """Two related words a line, or the four of an analogy, below headings ': name'. None takes a
    built-in list, and questions-words.txt and text_extra/countries.csv where --data-dir has
    them."""
    words: tuple[str, ...] = ()
    """Words to show with their neighbors; none takes some that are known."""
    count: int = 10
    """Neighbors of each."""
    most_frequent: int = 30_000
    """Analogies are asked among this many first words."""
    compared: int = 200
    """Pairs of a relation that are compared with one another, at most: a random sample of more."""
    sampled: int = 200
    """Random words over which measures of similarity are compared."""
    resamples: int = 1000
    """Bootstrap samples, and shuffles, behind the intervals."""
    common: command.Common = command.Common(out=Path("runs/relations"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "count", at_least=1)
        # The three words of an analogy can't be its answer.
        checks.check_field(self, "most_frequent", at_least=4)
        checks.check_field(self, "compared", at_least=2)
        checks.check_field(self, "sampled", at_least=1)
        # Fewer have no 95% interval.
        checks.check_field(self, "resamples", at_least=40)


SMOKE = Config(Path("vectors.npz"), count=4, resamples=60)


def run(config: Config) -> None:
    """Asks, measures and draws."""
    command.use_cache()
    table = io.read(config.vectors)
    size, width = table.vectors.shape
    # A word and its neighbors, or the words of an analogy.
    if size < (least := max(config.count + 1, 4)) or width < 2:
        raise InputError(
            f"{config.vectors}: {size:,} words of width {width}; count = {config.count} needs "
            f"{least} words at least, a picture two dimensions"
        )
    chosen = choose_words(config, table)
    lists, files = read_lists(config)
    folder = config.vectors.is_dir()
    inside = [path for path in config.vectors.iterdir() if path.is_file()] if folder else []
    files += sorted(inside) if folder else [config.vectors]
    sha256 = {str(path): file_sha256(path) for path in files}
    if not run_folder.open_run(config.common.out, config, sha256):
        return
    print(f"{config.vectors}: {size:,} words of width {width:,}\n")
    # Lists are in lower case; of words that differ in case alone the first stands for all.
    index = {table.words[row].lower(): row for row in reversed(range(size))}
    print_classic(config, table, index)
    relations = measure(config, table, index, lists)
    print_relations(relations)
    write_tables(config.common.out, relations)
    draw(config.common.out, table, relations)
    figures = {"words": size, **figures_of(relations), **compare_measures(config, table, chosen)}
    run_folder.finish(config.common.out, figures)


def choose_words(config: Config, table: io.WordVectors) -> np.ndarray:
    """Returns the rows of the words to show with their neighbors.

    Raises:
      InputError: naming words that were asked for and are unknown.
    """
    known = Vocabulary(table.words, np.zeros(len(table.words), np.int64))
    words = config.words or [word for word in SHOWN if word in known.ids][:SHOWN_COUNT]
    return known.encode(words)


def read_lists(config: Config) -> tuple[list[Relation], list[Path]]:
    """Reads the relations asked for.

    Returns:
      The relations and the files they come from.

    Raises:
      InputError: if a file is wrong, or two relations have one name.
    """
    files = list(config.pairs)
    relations = [relation for path in files for relation in read_relations(path)]
    if not files:
        relations = parse_relations(PAIRS, Path("built-in pairs"))
        questions = config.common.data_dir / "questions-words.txt"
        countries = config.common.data_dir / "text_extra" / "countries.csv"
        if questions.exists():
            relations += relations_of(read_analogies(questions))
            files.append(questions)
        if countries.exists():
            relations += read_countries(countries)
            files.append(countries)
    # A figure or picture is named with letters and digits only.
    names = [plain_name(relation.name) for relation in relations]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"pairs: two relations are named {twice[0]!r}; give each its own name")
    return relations, files


def print_classic(config: Config, table: io.WordVectors, index: dict[str, int]) -> None:
    """Prints the table that made analogies known, as these vectors fill it.

    An answer is one of the most frequent words, but none of the three asked with.
    """
    candidates = jnp.asarray(table.vectors[: config.most_frequent])
    print("relationship by an example, and the words nearest to second - first + asked")
    unknown = set()
    for a, b, asked in CLASSIC:
        unknown |= {word for word in (a, b, *asked) if word not in index}
        known = [word for word in asked if word in index]
        if a not in index or b not in index or not known:
            continue
        ids = np.array([[index[a], index[b], index[word]] for word in known])
        words = unit(jnp.asarray(table.vectors[ids.ravel()])).reshape(*ids.shape, -1)
        targets = words[:, 1] - words[:, 0] + words[:, 2]
        answers, _ = nearest(candidates, targets, k=1, exclude=jnp.asarray(ids))
        answered = zip(known, np.asarray(answers)[:, 0], strict=True)
        cells = "".join(f"  {word + ': ' + table.words[row]:<26}" for word, row in answered)
        print(f"  {a + ' - ' + b:<24}{cells}".rstrip())
    if unknown:
        print(f"  not among the words: {', '.join(sorted(unknown))}")


def measure(
    config: Config, table: io.WordVectors, index: dict[str, int], lists: Sequence[Relation]
) -> list[Found]:
    """Asks each relation's analogies and measures its parallelism."""
    rng = np.random.default_rng(config.common.seed)
    known, sections = [], []
    for relation in lists:
        pairs = [pair for pair in relation.pairs if all(word in index for word in pair)]
        if len(pairs) > config.compared:
            print(
                f"{relation.name}: {len(pairs):,} pairs, a random {config.compared} of them are "
                "compared"
            )
            pairs = [pairs[i] for i in np.sort(rng.permutation(len(pairs))[: config.compared])]
        known.append(pairs)
        # The words asked with can't be the answer.
        questions = relation.questions or [
            (*p, *q) for p, q in itertools.permutations(pairs, 2) if not set(p) & set(q)
        ]
        sections.append(AnalogySection(relation.name, questions))
    vectors = jnp.asarray(table.vectors)
    scores = analogies(vectors, index, sections, most_frequent=config.most_frequent)
    found = []
    for number, (relation, pairs, score) in enumerate(zip(lists, known, scores, strict=True)):
        rows = np.array([[index[word] for word in pair] for pair in pairs], int).reshape(-1, 2)
        parallel = parallelism(
            jax.random.fold_in(jax.random.key(config.common.seed), number),
            table.vectors,
            rows,
            resamples=config.resamples,
        )
        unknown = sorted({word for pair in relation.pairs for word in pair if word not in index})
        found.append(
            Found(relation.name, len(relation.pairs), pairs, rows, unknown, score, parallel)
        )
    return found


def compare_measures(config: Config, table: io.WordVectors, chosen: np.ndarray) -> dict[str, float]:
    """Prints words' neighbors by several measures, and how far these agree.

    Args:
      config: the run's.
      table: the vectors.
      chosen: [N] rows of the words to print.

    Returns:
      Over random words, for each measure the share of neighbors that cosine finds too, and the
      neighbors' median rank in frequency.
    """
    size = len(table.words)
    rng = np.random.default_rng(config.common.seed)
    sampled = rng.permutation(min(size, config.most_frequent))[: config.sampled]
    queries = np.concatenate([chosen, sampled])
    ids = {
        name: nearest_by(distance, table.vectors, queries, k=config.count)[0]
        for name, distance in MEASURES.items()
    }
    for number, row in enumerate(chosen):
        columns = [[table.words[i] for i in near[number]] for near in ids.values()]
        widths = [max(map(len, (name, *column))) for name, column in zip(ids, columns, strict=True)]
        print(f"\n{table.words[row]}, by")
        for cells in [list(ids), *map(list, zip(*columns, strict=True))]:
            padded = (f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
            print("  " + "  ".join(padded).rstrip())
    print(f"\n{len(sampled)} random words: neighbors shared with cosine, their median rank")
    figures: dict[str, float] = {}
    cosine = ids["cosine"][len(chosen) :]
    for name, near in ids.items():
        near = near[len(chosen) :]
        shared = [len(np.intersect1d(*both)) for both in zip(near, cosine, strict=True)]
        overlap, rank = float(np.mean(shared)) / config.count, float(np.median(near)) + 1
        print(f"  {name:12} {overlap:5.2f} {rank:9,.0f}")
        figures |= {f"overlap_{plain_name(name)}": overlap, f"median_rank_{plain_name(name)}": rank}
    return figures


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
