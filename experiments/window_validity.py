"""Word vectors by telling real windows of text from switched ones (README row window_validity)."""

import dataclasses
import math
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb import memory
from jaxemb.errors import InputError
from jaxemb.methods.window_validity import step as training
from jaxemb.models import window_scorer
from jaxemb.sampling.held_out import Parts, Read, count_windows, hold_out
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextStream
from jaxemb.training.state import TrainState

from .harness import command
from .harness.words import before_training as word_training
from .harness.words import vectors as word_vectors
from .harness.words import windows as window_report


@dataclasses.dataclass(frozen=True)
class Config(word_training.Config):
    """Trains word vectors with a network that tells real windows; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, neighbors.txt, map.html, map.png, metrics.jsonl,
    summary.json and checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    dim: int = 50
    """Width of the vectors; the paper's."""
    window: int = 5
    """Words of a window, an odd number; rarer words than --min-count are dropped first."""
    switch: int | None = None
    """Place in the window, from 1, of the word that is switched. None takes the middle."""
    hidden: int = 100
    """Units of the hidden layer of R."""
    loss: training.Loss = "logistic"
    """logistic calls each window valid or not; ranking wants a real one to score higher than the
    same with a word switched."""
    margin: float = 1.0
    """By how much: ranking."""
    noise: int = 8
    """Random words that 32 neighboring windows share; each window gets all in turn."""
    noise_power: float = 0.75
    """Random words are drawn in proportion to this power of their counts."""
    held_out: float = 0.02
    """Share of the text, in stretches of up to 500 words, that is judged and not trained on."""
    learning_rate: float = 1e-2
    """Of Adam, at the start; it falls linearly to nearly 0."""
    epochs: int = 5
    """Passes over the corpus."""
    out: Path = Path("runs/window_validity")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        # A program's size grows with it.
        command.check_field(self, "window", at_least=3, at_most=101)
        if self.window % 2 == 0:
            raise InputError(
                f"--window must be odd, so that one word is the middle, found {self.window}"
            )
        if self.switch is not None:
            command.check_field(self, "switch", at_least=1, at_most=self.window)
        for name in ("hidden", "noise"):
            command.check_field(self, name, at_least=1, at_most=1 << 16)
        command.check_field(self, "margin", above=0, at_most=1e6)
        if self.loss != "ranking" and self.margin != Config.margin:
            raise InputError(f"--margin means nothing to {self.loss}, only to ranking")
        # Beyond, powers of large counts overflow.
        command.check_field(self, "noise_power", at_least=0, at_most=10)
        command.check_field(self, "held_out", at_least=1e-4, at_most=0.5)
        command.check_field(self, "learning_rate", above=0, at_most=10)


def run(config: Config) -> None:
    """Trains, judges on text held out, evaluates and draws."""
    began = time.perf_counter()
    text = word_vectors.prepare(config, check=lambda text: check(config, text))
    if text is None:
        return
    params, figures = train(config, text, began)
    vectors = np.asarray(params["words"])
    table = window_report.neighbors(text.vocabulary, vectors)
    print(f"\n{table}\n")
    (config.out / "neighbours.txt").write_text(table + "\n")
    memory.give_back()
    title = f"{' + '.join(config.corpus)}: windows of {config.window}, {config.dim} wide"
    word_vectors.write(config, text.vocabulary, vectors, figures, title=title)


def divide(config: Config, text: word_vectors.Text) -> Parts:
    """Returns the text to train on and the text held out."""
    return hold_out(
        text.corpus.read,
        words=text.corpus.words,
        documents=np.asarray(text.corpus.documents),
        share=config.held_out,
        least=config.window,
        unknown=len(text.vocabulary),
    )


def check(config: Config, text: word_vectors.Text) -> None:
    """Refuses text of which a part has too few windows."""
    parts = divide(config, text)
    # One half of those held out chooses a threshold, the other is judged.
    for name, read, least in (("held out", parts.held_out, 2), ("left", parts.trained_on, 1)):
        found = count_windows(
            read,
            words=text.corpus.words,
            documents=parts.documents,
            window=config.window,
            unknown=len(text.vocabulary),
            enough=least,
        )
        if found < least:
            raise InputError(
                f"the text {name} has {found} windows of {config.window} words; are its documents "
                "shorter, or is min_count too large?"
            )


def train(
    config: Config, text: word_vectors.Text, began: float
) -> tuple[window_scorer.Params, dict[str, float]]:
    """Trains W and R and judges them.

    Returns:
      Both, and figures for the summary.
    """
    corpus, counts = text.corpus, text.vocabulary.counts
    place = config.window // 2 if config.switch is None else config.switch - 1
    step = training.Step(config.window, place, config.loss, config.margin, config.noise)
    keys = jax.random.split(jax.random.key(config.seed), 5)
    stream_key, held_out_key, base_key, init_key, judge_key = keys
    parts = divide(config, text)
    # Frequent words stay: a window is to be one of the text.
    keep = keep_probability(counts, words=corpus.words, threshold=0)

    def stream(key: jax.Array, read: Read, epochs: int) -> TextStream:
        return TextStream(
            key,
            read,
            corpus.words,
            parts.documents,
            keep,
            epochs=epochs,
            groups=step.groups,
            size=step.size,
            margin=config.window // 2,
        )

    batches = stream(stream_key, parts.trained_on, config.epochs)
    rate = config.learning_rate
    schedule = optax.linear_schedule(rate, rate * 1e-4, int(batches.epoch_steps.sum()))
    noise = noise_distribution(counts, power=config.noise_power)
    params = window_scorer.init(
        init_key,
        vocabulary=len(counts),
        dim=config.dim,
        window=config.window,
        hidden=config.hidden,
    )
    params, figures = word_training.train(
        config,
        text,
        TrainState(jnp.zeros((), jnp.int32), base_key, params, training.init(params)),
        training.prepare(step, noise),
        training.update(step, schedule),
        batches,
        # Each window a coin toss, or all scores equal.
        first_loss=config.margin if config.loss == "ranking" else 2 * math.log(2),
        began=began,
    )
    held_out = stream(held_out_key, parts.held_out, 1)
    scored = window_report.score(judge_key, step, noise, params, held_out)
    return params, figures | window_report.judge(scored, text.vocabulary, step.place)


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
