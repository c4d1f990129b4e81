"""Several languages in one space: words lie near their translations in all others.

    python -m experiments.join runs/en-fr/first.txt runs/en-fr/second.txt runs/en-de/second.txt \
        --dictionaries en-fr.5k.tsv en-de.5k.tsv \
        --tests en-fr.test.tsv en-de.test.tsv fr-de.test.tsv

Two busy cores of an AMD EPYC, 2.7 minutes: of the first translations 37.2% are right.
"""

import dataclasses
import itertools
import sys
from pathlib import Path
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.data.files import file_sha256
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import retrieve
from jaxemb.methods import alignment
from jaxemb.progress import phase

from .harness import command, run_folder
from .harness.spaces import languages

# The line of the table in README.md, of entries of summary.json.
FIGURE = "of the first translations {precision:.1%} are right"


@dataclasses.dataclass(frozen=True)
class Config:
    """Turns word vectors of several languages into one space (generalized Procrustes).

    Dictionaries, and tests, are of the first language with each other one, in their order; then,
    if wanted, of the second with those after it, and so on. Writes the vectors of each language,
    1.txt, 2.txt and so on, map.html, map.png (all languages, lines from words of the first to
    their translations) and summary.json to --out.
    """

    vectors: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE ...")]
    """Of words of two languages or more, in any format that jaxemb.io reads; folders of runs."""
    dictionaries: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE ...")]
    """A word and its translation a line."""
    tests: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE ...")] = ()
    """Dictionaries to be found."""
    most: int = 50_000
    """Words of each language, the first; 0: all."""
    rounds: int = 10
    """Times that each language is turned to the others."""
    drawn: int = 700
    """Words of each language, the first, on the map."""
    common: command.Common = command.Common(out=Path("runs/join"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "most", at_least=0)
        for name in ("rounds", "drawn"):
            checks.check_field(self, name, at_least=1)
        count = len(self.vectors)
        if count < 2:
            raise InputError(f"two files of vectors or more are needed, found {count}")
        fewest, most = count - 1, count * (count - 1) // 2
        if not fewest <= len(self.dictionaries) <= most:
            raise InputError(
                f"dictionaries must be {fewest} to {most}, of the first language with each other "
                f"one, then of the others, found {len(self.dictionaries)}"
            )
        if len(self.tests) > most:
            raise InputError(f"tests must be at most {most}, found {len(self.tests)}")


# What the test of this script runs.
SMOKE = Config(
    (Path("english.npz"), Path("french.npz"), Path("german.npz")),
    (Path("en-fr.tsv"), Path("en-de.tsv")),
    (Path("en-fr.tsv"), Path("en-de.tsv"), Path("fr-de.tsv")),
    drawn=30,
)


def run(config: Config) -> None:
    """Turns, scores and draws."""
    command.use_cache()
    out = config.common.out
    given = [languages.first(io.read(path), config.most) for path in config.vectors]
    places = list(itertools.combinations(range(len(given)), 2))
    # Before anything is written: it refuses dictionaries of other languages.
    linked, asked = (
        {
            (one, other): languages.read_rows(path, given[one], given[other])
            for (one, other), path in zip(places, paths, strict=False)
        }
        for paths in (config.dictionaries, config.tests)
    )
    paths = [*config.vectors, *config.dictionaries, *config.tests]
    sha256 = {str(file): file_sha256(file) for path in paths for file in languages.files(path)}
    if not run_folder.open_run(out, config, sha256):
        return
    for path, words in zip(config.vectors, given, strict=True):
        print(f"{path}: {len(words):,} words of {words.vectors.shape[1]} numbers")
    with phase("turning the languages"):
        dictionaries = {
            (one, other): [(given[one].words[i], given[other].words[j]) for i, j in rows]
            for (one, other), rows in linked.items()
        }
        joined = alignment.join(given, dictionaries, rounds=config.rounds)
    figures: dict[str, float] = {
        f"pairs_{one + 1}_{other + 1}": len(rows) for (one, other), rows in joined.pairs.items()
    }
    languages.write_languages(
        out, [(str(number), words) for number, words in enumerate(joined.languages, 1)]
    )
    titles = [languages.title(path, str(number)) for number, path in enumerate(config.vectors, 1)]
    shares = []
    for (one, other), rows in asked.items():
        queries, right = languages.right_answers(rows)
        source, target = (jnp.asarray(joined.languages[place].vectors) for place in (one, other))
        known = "" if (one, other) in linked else ", of which no dictionary was given"
        print(f"{titles[one]} to {titles[other]}: {len(queries):,} words with vectors{known}")
        found = retrieve(source[queries], target, others=source)
        shares.append(languages.told_precision("csls", found.ids, right))
        figures[f"precision_{one + 1}_{other + 1}"] = shares[-1]
    if shares:
        figures["precision"] = float(np.mean(shares))
    figures["near_on_map"] = languages.draw(
        config.common,
        joined.languages,
        [joined.pairs[0, other] for other in range(1, len(given))],
        titles=titles,
        drawn=config.drawn,
    )
    run_folder.finish(out, figures)


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
