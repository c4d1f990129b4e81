"""Two languages in one space: words lie near their translations.

    python -m experiments.align runs/english vectors_fr_12k.bin --dictionary en-fr.5k.tsv \
        --test en-fr.test.tsv --most 50000

Two busy cores of an AMD EPYC, 3.5 minutes: of the first translations 52.0% are right.
"""

import dataclasses
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.atomic import replacing
from jaxemb.data.dictionaries import read_dictionary
from jaxemb.data.files import file_sha256
from jaxemb.errors import InputError
from jaxemb.evaluation.recommendation import bootstrap
from jaxemb.evaluation.translation import retrieve
from jaxemb.methods import alignment
from jaxemb.progress import phase

from .harness import command, run_folder, tables
from .harness.spaces import languages

# How the languages are called in files and pictures, where their files do not say.
_SIDES = ("source", "target")

Pairs = Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps word vectors of two languages into one space.

    Writes source.txt and target.txt (the vectors of both languages in the shared space),
    dictionary.tsv (the first words of the source with their translations and scores), map.html,
    map.png (both languages, a line from word to translation) and summary.json to --out; with
    --ablate, ablation.md.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SOURCE")]
    """Word vectors of one language, in any format that jaxemb.io reads; the folder of a run."""
    target: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="TARGET")]
    """Those of the other."""
    dictionary: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A word and its translation a line. None: words that are spelled alike begin."""
    test: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A dictionary to be found again; what it shares with the other is told."""
    options: alignment.Options = alignment.Options()
    ablate: bool = False
    """Whether to map anew with each part of the method changed, too, and write the scores of the
    test to ablation.md."""
    most: int = 0
    """Words of each language, the first; 0: all."""
    listed: int = 10_000
    """Words of the source, the first, whose translations dictionary.tsv has."""
    translations: int = 3
    """Of each word there."""
    drawn: int = 1500
    """Words of each language, the first, on the map."""
    common: command.Common = command.Common(out=Path("runs/align"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "most", at_least=0)
        for name in ("listed", "translations", "drawn"):
            checks.check_field(self, name, at_least=1)
        if self.ablate and None in (self.dictionary, self.test):
            raise InputError("ablate needs a dictionary and a test")


SMOKE = Config(
    Path("english.npz"),
    Path("french.npz"),
    Path("pairs.tsv"),
    Path("test.tsv"),
    listed=20,
    drawn=30,
)


def run(config: Config) -> None:
    """Maps, translates, scores and draws."""
    command.use_cache()
    out = config.common.out
    source, target = (
        languages.first(io.read(path), config.most) for path in (config.source, config.target)
    )
    pairs = None if config.dictionary is None else read_dictionary(config.dictionary)
    # Before anything is written: it refuses a test of other languages.
    tested = None if config.test is None else languages.read_rows(config.test, source, target)
    paths = [config.source, config.target, config.dictionary, config.test]
    sha256 = {
        str(file): file_sha256(file)
        for path in paths
        if path is not None
        for file in languages.files(path)
    }
    if not run_folder.open_run(out, config, sha256):
        return
    print(f"{config.source}: {len(source):,} words; {config.target}: {len(target):,} words")
    fitted = alignment.fit(source, target, pairs, config.options, key=config.common.seed)
    figures = {"pairs": len(fitted.pairs), "found_again": fitted.found_again}
    told = f"{len(fitted.pairs):,} pairs make the map"
    if fitted.options.map != "procrustes":
        figures |= {"ridge": fitted.ridge, "power": fitted.power}
        told += f", with ridge {fitted.ridge:g} and power {fitted.power:g}"
    if np.isfinite(fitted.found_again):
        told += f"; of those held out {fitted.found_again:.1%} were found again"
    print(told)
    languages.write_languages(out, list(zip(_SIDES, fitted[:2], strict=True)))
    words = fitted.source.words[: config.listed]
    with phase("translating"):
        found = alignment.translate(fitted, words, k=min(config.translations, len(fitted.target)))
    languages.write_dictionary(out / "dictionary.tsv", words, found)
    known = fitted.pairs
    if tested is not None:
        both = {word for word, _ in pairs or ()} & {source.words[row] for row in tested[:, 0]}
        figures |= {"test_words_known": len(both)} | score(fitted, tested, len(both))
        if config.ablate:
            ablate(config, source, target, pairs or (), tested)
        known = np.unique(np.concatenate([known, tested]), axis=0)
    figures["near_on_map"] = languages.draw(
        config.common,
        fitted[:2],
        [known],
        titles=[languages.title(path, side) for path, side in _named(config)],
        drawn=config.drawn,
    )
    run_folder.finish(out, figures)


def score(fitted: alignment.Fitted, rows: np.ndarray, both: int) -> dict[str, float]:
    """Scores the first translations of a test, by each way to look them up, and prints them."""
    words, right = languages.right_answers(rows)
    print(f"test: {len(words):,} words with vectors, {both:,} of them in the dictionary, too")
    figures: dict[str, float] = {"test_words": len(words)}
    options = fitted.options
    source, target = (jnp.asarray(side.vectors) for side in (fitted.source, fitted.target))
    for by in ("nearest", "csls", "inverted_softmax"):
        with phase(f"looking translations up: {by}"):
            found = retrieve(
                source[words],
                target,
                by=by,
                neighbors=options.neighbors,
                temperature=options.temperature,
                others=source,
            )
        figures[f"precision_{by}"] = languages.told_precision(by, found.ids, right)
    return figures


def variants(
    options: alignment.Options, pairs: Pairs
) -> Iterator[tuple[str, alignment.Options, Pairs]]:
    """Yields the method and, one at a time, what may be changed in it."""
    yield "as given", options, pairs
    change = functools.partial(dataclasses.replace, options)
    yield "map: procrustes", change(map="procrustes"), pairs
    yield "map: least squares", change(map="ridge", ridge=0.0), pairs
    yield "map: ridge", change(map="ridge"), pairs
    yield "map: canonical", change(map="canonical"), pairs
    for steps in ((), ("unit",), ("unit", "center"), ("unit", "center", "unit")):
        name = ", ".join(steps) or "none"
        yield f"normalized: {name}", change(normalize=steps), pairs
    for size in (500, 1000, 3000):
        if size < len(pairs):
            yield f"the first {size:,} pairs", options, pairs[:size]
    for by in ("nearest", "csls", "inverted_softmax"):
        yield f"looked up: {by}", change(retrieval=by), pairs


def ablate(
    config: Config,
    source: io.WordVectors,
    target: io.WordVectors,
    pairs: Pairs,
    tested: np.ndarray,
) -> None:
    """Writes ablation.md: the first translations that are right, with each part changed."""
    rows, done = [], []
    words, right = languages.right_answers(tested)
    for name, options, some in variants(config.options, pairs):
        if (options, len(some)) in done:
            continue
        done.append((options, len(some)))
        fitted = alignment.fit(source, target, some, options, key=config.common.seed)
        found = alignment.translate(fitted, [source.words[row] for row in words])
        hits = [
            target.index[best[0][0]] in answers for best, answers in zip(found, right, strict=True)
        ]
        share = bootstrap(np.array(hits, float), seed=config.common.seed)
        rows.append((name, f"{share.value:.1%}", f"{share.low:.1%} to {share.high:.1%}"))
        print(f"  {name}: {rows[-1][1]}, {rows[-1][2]}")
    header = ("", "P@1", "95% interval")
    with replacing(config.common.out / "ablation.md") as part:
        part.write_text("\n".join(tables.markdown(header, rows, figures=True)) + "\n")


def _named(config: Config) -> list[tuple[Path, str]]:
    return list(zip((config.source, config.target), _SIDES, strict=True))


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
