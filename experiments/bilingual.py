"""Words of two languages, learned from sentences and their translations.

    python -m experiments.bilingual

Two busy cores of an AMD EPYC, 8.6 minutes: of the first translations 57.8% are right.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import tyro
from scipy.sparse import csr_array

from jaxemb import checks, io
from jaxemb.data.captions import read_captions
from jaxemb.data.dictionaries import read_dictionary
from jaxemb.data.files import file_sha256
from jaxemb.data.prepare import missing_file
from jaxemb.data.sets import multi30k, opennmt, tatoeba
from jaxemb.data.text_files import read_lines
from jaxemb.errors import InputError
from jaxemb.methods import bilingual
from jaxemb.models.averages import counts
from jaxemb.progress import phase

from .harness import command, run_folder
from .harness.matching import training as harness
from .harness.spaces import languages

# The line of the table in README.md, of entries of summary.json.
FIGURE = "of the first translations {precision_both:.1%} are right"

SIDES = ("first", "second")


@dataclasses.dataclass(frozen=True)
class Config:
    """Learns words of two languages in one space from sentences and their translations.

    Judged on a dictionary: is the first translation right? Beside the vectors stand the
    probabilities of IBM model 1, both together, and how often words are in the same pairs. Writes
    first.txt and second.txt (the vectors of both languages), dictionary.tsv, model/ (for
    jaxemb.io.load), map.html, map.png (both languages, a line from word to translation),
    metrics.jsonl, summary.json and checkpoints/ to --out. The same command again goes on where it
    was stopped.
    """

    pairs: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A sentence and its translation a line, a tab between them. None: Tatoeba, Multi30k and, in
    German, OpenNMT's sentences."""
    language: Literal["de", "fr"] = "de"
    """That English is translated into, where no file is given."""
    beside: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Sentences of the first language alone, one a line, from which more of it is learned."""
    test: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A dictionary to be found. None: where no file of sentences is given, the test part of the
    data set dictionaries."""
    listed: int = 10_000
    """Words of the first language, the most frequent, whose translations dictionary.tsv has."""
    translations: int = 3
    """Of each word there."""
    drawn: int = 1000
    """Words of each language, the most frequent, on the map."""
    options: bilingual.Options = bilingual.Options()
    common: command.Common = command.Common(out=Path("runs/bilingual"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("listed", "translations", "drawn"):
            checks.check_field(self, name, at_least=1)


# What the test of this script runs.
SMOKE = Config(
    Path("pairs.tsv"),
    test=Path("test.tsv"),
    listed=20,
    drawn=30,
    options=bilingual.Options(dim=16, linked=10, epochs=30, window=5),
)


class Task(NamedTuple):
    """What is learned from, and what is to be found."""

    files: list[Path]
    pairs: list[tuple[str, str]]
    test: Path | None


def run(config: Config) -> None:
    """Reads, learns, translates, scores and draws."""
    command.use_cache()
    task = read(config)
    lines = [] if config.beside is None else read_lines(config.beside)
    beside = [line for line in lines if line.strip()]
    # Before anything is written: it refuses what cannot be learned from.
    training = bilingual.start(config.common.seed, task.pairs, config.options, beside=(beside, []))
    out = config.common.out
    if not run_folder.open_run(out, config, {str(file): file_sha256(file) for file in task.files}):
        return
    print(f"{len(task.pairs):,} sentences with translations")
    fitted: bilingual.Fitted = harness.run(config.common, training)
    io.save(out / "model", fitted)
    sides = (fitted.first, fitted.second)
    print(f"{len(fitted.first):,} and {len(fitted.second):,} words")
    languages.write_languages(out, list(zip(SIDES, sides, strict=True)))
    words = fitted.first.words[: config.listed]
    with phase("translating"):
        found = bilingual.translate(fitted, words, k=min(config.translations, len(fitted.second)))
    languages.write_dictionary(out / "dictionary.tsv", words, found)
    figures: dict[str, object] = {
        "pairs": len(task.pairs),
        "first_words": len(fitted.first),
        "second_words": len(fitted.second),
        "seconds": fitted.history.seconds,
    }
    if task.test is not None:
        try:
            figures |= score(fitted, task.pairs, languages.read_rows(task.test, *sides))
        except InputError as error:
            # What was learned is not lost by it.
            print(f"nothing is scored: {error}")
    names = ("English", {"de": "German", "fr": "French"}[config.language])
    figures["near_on_map"] = languages.draw(
        config.common,
        sides,
        [np.array([(row, sides[1].index[best[0][0]]) for row, best in enumerate(found)])],
        titles=names if config.pairs is None else SIDES,
        drawn=config.drawn,
    )
    run_folder.finish(out, figures)


def read(config: Config) -> Task:
    """Returns sentences with translations, and the file of a dictionary to be found, if any.

    Raises:
      InputError: if there are none, or a file is missing.
    """
    files: list[Path] = [] if config.beside is None else [config.beside]
    if config.pairs is not None:
        pairs = read_dictionary(config.pairs)
        files.append(config.pairs)
    else:
        data_dir = config.common.data_dir
        path, pairs = tatoeba.read(data_dir, config.language)
        aligned = [multi30k.translations(data_dir, "train", ("en", config.language))]
        if config.language == "de":
            aligned.append(opennmt.files(data_dir))
        for parts in aligned:
            pairs += [(one, other) for one, other in read_captions(parts, wordless=True)]
        files += [path, *(part for parts in aligned for part in parts)]
        if config.language == "fr":
            # Of l'eau and qu'il each half has a translation.
            pairs = [(one, other.replace("'", " ").replace("\u2019", " ")) for one, other in pairs]
    whole = [pair for pair in pairs if all(sentence.strip() for sentence in pair)]
    if len(whole) < len(pairs):
        print(f"{len(pairs) - len(whole):,} pairs are left out: a side is empty")
    if not whole:
        raise InputError("pairs must be at least one, found none without an empty side")
    test = config.test
    if test is None and config.pairs is None:
        test = config.common.data_dir / "bli" / f"yacle.test.freq.2k.en-{config.language}.tsv"
        if not test.is_file():
            raise missing_file(test, "dictionaries", "a word and its translation a line")
    if test is not None:
        read_dictionary(test)  # a file that is none is refused before anything is learned
        files.append(test)
    return Task(files, whole, test)


def score(
    fitted: bilingual.Fitted, pairs: list[tuple[str, str]], rows: np.ndarray
) -> dict[str, float]:
    """Scores the first translations of a test, by each way to look them up, and prints them."""
    words, right = languages.right_answers(rows)
    print(f"test: {len(words):,} words")
    figures: dict[str, float] = {"test_words": len(words)}
    asked = [fitted.first.words[word] for word in words]
    ways: tuple[bilingual.By, ...] = ("both", "vectors", "probabilities")
    for by in ways:
        best = bilingual.translate(fitted, asked, by=by)
        # A word without any probable translation has none that is right.
        first = [fitted.second.index[own[0][0]] if own else -1 for own in best]
        figures[f"precision_{by}"] = languages.told_precision(by, np.array(first), right)
    together = in_the_same_pairs(fitted, pairs, words).argmax(axis=1)
    figures["precision_counts"] = languages.told_precision("counts", together, right)
    return figures


def in_the_same_pairs(
    fitted: bilingual.Fitted, pairs: list[tuple[str, str]], words: np.ndarray
) -> np.ndarray:
    """Returns the cosine [Q, U] of being in pairs: first words with all second ones."""
    sides = [
        counts([pair[side] for pair in pairs], language.words) > 0
        for side, language in enumerate((fitted.first, fitted.second))
    ]
    first, second = (csr_array(side, dtype=np.float32) for side in sides)
    chance = np.sqrt(np.outer(first.sum(axis=0)[words], second.sum(axis=0)))
    return (first[:, words].T @ second).toarray() / np.maximum(chance, 1e-9)


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
