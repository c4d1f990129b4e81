"""What all experiments on text share: the flags of their text, and how they open it."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Protocol

import tyro

from jaxemb import checks, data
from jaxemb.data import Text
from jaxemb.data.text_files import Documents, Errors
from jaxemb.errors import InputError

from .. import command, run_folder


@dataclasses.dataclass(frozen=True)
class TextFlags:
    """Which text, and which words of it get vectors."""

    corpus: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME|PATH")] = ("pydocs",)
    """pydocs, text8, simplewiki, enwiki, or text files or folders."""
    min_count: int = 5
    """Rarer words are left out."""
    max_vocab: int = 0
    """Words at most; 0 for no limit."""
    tokenizer: str = "words"
    """How files become words: words (Unicode's word boundaries), whitespace, characters, or
    module:function of yours, from a string to its words. Named corpora are words already."""
    keep_case: bool = False
    """Leave capital letters as they are."""
    documents: Documents = "line"
    """What a document is, beyond whose ends neighbors don't reach. Paragraphs have blank lines
    between them."""
    column: str | None = None
    """Where the text is in .jsonl, .csv, .tsv and .parquet files; each row is a document."""
    encoding: str = "utf-8"
    """Of text files: cp1252, utf-16, gb18030 and others that Python knows."""
    errors: Errors = "strict"
    """Bytes that are no text in the encoding are refused, replaced by U+FFFD, or skipped."""
    phrases: int = 0
    """Passes of phrase detection, each of which joins pairs of words that often come together,
    new_york; 2 find phrases of up to four words."""
    phrase_threshold: float = 100.0
    """How many times as frequent as by chance such a pair is."""
    phrase_discount: int = 5
    """Occurrences of a pair that don't count."""

    def __post_init__(self):
        """Refuses values that no text has.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if not self.corpus:
            raise InputError("corpus needs at least one name or path")
        checks.check_field(self, "min_count", at_least=1)
        for name in ("max_vocab", "phrases", "phrase_discount"):
            checks.check_field(self, name, at_least=0)
        checks.check_field(self, "phrase_threshold", at_least=0, at_most=1e12)

    @property
    def title(self) -> str:
        """What pictures call the text."""
        return " + ".join(self.corpus)


class Config(Protocol):
    """What an experiment on text has."""

    @property
    def text(self) -> TextFlags:
        """Which text."""

    @property
    def common(self) -> command.Common:
        """The run."""


def read(flags: TextFlags, common: command.Common) -> Text:
    """Reads the text, without a run's folder.

    Raises:
      InputError: if the text cannot be read, has too few words or no neighbors.
    """
    command.use_cache()
    return data.open_text(
        flags.corpus,
        data_dir=common.data_dir,
        tokenizer=flags.tokenizer,
        keep_case=flags.keep_case,
        encoding=flags.encoding,
        errors=flags.errors,
        documents=flags.documents,
        column=flags.column,
        min_count=flags.min_count,
        max_vocab=flags.max_vocab or None,
        phrases=flags.phrases,
        phrase_threshold=flags.phrase_threshold,
        phrase_discount=flags.phrase_discount,
        progress=True,
    )


def open_run(config: Config, *, check: Callable[[Text], object] = lambda text: None) -> Text | None:
    """Reads the text, opens the run's folder and writes vocabulary.txt.

    Args:
      config: the experiment's.
      check: refuses text that the experiment cannot use, by an InputError. It comes before the
        folder is made: what is mended may go into the same.

    Returns:
      The text; None if the folder holds this run, finished, which is then shown.

    Raises:
      InputError: as `read` does, if the text doesn't pass the check, or the folder holds something
        else.
    """
    text = read(config.text, config.common)
    check(text)
    out = config.common.out
    if not run_folder.open_run(out, config, text.corpus.sha256):
        return None
    text.vocabulary.save(out / "vocabulary.txt")
    print(
        f"{text.corpus.words:,} words, vocabulary {len(text.vocabulary):,} (count >= "
        f"{config.text.min_count})"
    )
    return text
