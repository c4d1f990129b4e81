"""Two descriptions of one object: do these captions belong to one picture?

    python -m experiments.same_object

Two busy cores of an AMD EPYC, 6.3 minutes: AUC 0.985, EER 5.4%, Recall@1 0.641.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from flax import linen as nn

from jaxemb import checks, io
from jaxemb.data import captions as reading
from jaxemb.data import vocabulary as vocabularies
from jaxemb.data.sets import multi30k
from jaxemb.data.tokenize import words
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.evaluation.verification import Roc, all_pairs, roc, verification
from jaxemb.losses.distances import pairwise_cosine
from jaxemb.methods import matching, two_views
from jaxemb.models.encoders import BagEncoder, GruEncoder
from jaxemb.models.pretrained import start_from
from jaxemb.projections.neighbors import nearest_neighbors
from jaxemb.sampling.balanced import BalancedBatches

from .harness import command, run_folder
from .harness.matching import training as harness

# The line of the table in README.md, of entries of summary.json.
FIGURE = "AUC {auc:.3f}, EER {eer:.1%}, Recall@1 {recall_at_1:.3f}"

SPLITS = ("train", "val", "test_2016")
# Captions whose nearest ones are shown, and how many of these.
SHOWN, NEAREST = 4, 3
FALSE_ACCEPT_RATE = 1e-3
TITLES = {"tfidf": "tf-idf", "untrained": "mean of word vectors", "trained": "trained"}


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains an encoder of texts so that captions of one picture are near, those of others far.

    Multi30k has five captions of each picture, written by five people who saw only the picture.
    Judged on pictures never seen: are two captions of one picture, and which of all captions are
    those of the query's picture? Writes roc.png, metrics.jsonl, summary.json and checkpoints/ to
    --out. The same command again goes on where it was stopped.
    """

    language: Literal["en", "de"] = "en"
    """Of the captions."""
    encoder: Literal["bag", "gru"] = "bag"
    """bag: the mean of word vectors, then a dense layer; gru: reads words in their order."""
    loss: Literal["info_nce", "sigmoid", "triplet"] = "info_nce"
    """info_nce: NT-Xent; sigmoid: of all pairs; triplet: semi-hard ones."""
    vectors: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Word vectors to start from, as of experiments.word2vec; None starts from random ones."""
    width: int | None = None
    """Of word vectors; None takes 300, or that of --vectors."""
    dim: int = 256
    """Width of the embedding."""
    temperature: float = 0.07
    """Of info_nce."""
    margin: float = 0.2
    """Of triplet, in squared distance."""
    min_count: int = 3
    """Words rarer in the training captions are unknown, and left out."""
    most_words: int = 32
    """Longer captions are cut."""
    options: two_views.Options = two_views.Options(iterations=3000)
    common: command.Common = command.Common(out=Path("runs/same_object"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("min_count", "most_words", "dim"):
            checks.check_field(self, name, at_least=1)
        if self.width is not None:
            checks.check_field(self, "width", at_least=1)
        checks.check_field(self, "temperature", above=0, at_most=100)
        checks.check_field(self, "margin", at_least=0, at_most=4)


# What the test of this script runs.
SMOKE = Config(
    dim=8,
    width=8,
    options=two_views.Options(iterations=160, batch=12, learning_rate=0.02, parts=1),
)


class Split(NamedTuple):
    """Captions of pictures, those of a picture side by side."""

    texts: list[str]
    pictures: np.ndarray  # [M] int32, which each one describes
    ids: np.ndarray  # [M, T] int32, words; -1 beyond a caption's end


def run(config: Config) -> None:
    """Reads, trains, judges and shows."""
    command.use_cache()
    files = {s: multi30k.files(config.common.data_dir, s, config.language) for s in SPLITS}
    texts = {split: reading.read_captions(paths) for split, paths in files.items()}
    everything = reading.count_words(text for row in texts["train"] for text in row)
    vocabulary = vocabularies.truncate(everything, min_count=config.min_count)
    splits = {split: encode(config, rows, vocabulary, split) for split, rows in texts.items()}
    module, params = make(config, vocabulary)
    drawn = BalancedBatches(
        harness.keys(config, 4)[3],
        splits["train"].pictures,
        identities=config.options.batch,
        samples=2,
    )
    given = [config.vectors] if config.vectors else []
    if not harness.open_run(config, sum(files.values(), given)):
        return
    table = np.array(params["params"]["Embed_0"]["embedding"])
    trained = train(config, module, params, splits["train"], drawn)
    judged = {split: splits[split] for split in SPLITS[1:]}
    vectors = {
        "tfidf": tfidf(splits["train"], judged),
        "untrained": {split: mean_of_words(table, part.ids) for split, part in judged.items()},
        "trained": {
            split: two_views.encode(trained.model, part.ids, side="first")
            for split, part in judged.items()
        },
    }
    figures: dict[str, object] = {"seconds": trained.history.seconds, "vocabulary": len(vocabulary)}
    curves = {}
    print(f"{'':>20}    AUC   EER   R@1   R@5  R@10   mAP  accepted")
    for name, found in vectors.items():
        scores, curves[TITLES[name]] = evaluate(found, judged)
        prefix = "" if name == "trained" else f"{name}_"
        figures |= {f"{prefix}{score}": value for score, value in scores.items()}
        cells = [scores[cell] for cell in ("recall_at_1", "recall_at_5", "recall_at_10", "map")]
        print(
            f"{TITLES[name]:>20} {scores['auc']:6.4f} {scores['eer']:5.1%} "
            f"{' '.join(f'{cell:5.3f}' for cell in cells)} {scores['validation_rate']:9.1%}"
        )
    print(f"accepted: true pairs, where {FALSE_ACCEPT_RATE:.1%} of the wrong ones of val are")
    show(splits["test_2016"], vectors["trained"]["test_2016"])
    draw(config, curves)
    run_folder.finish(config.common.out, figures)


def encode(config: Config, rows: list[list[str]], vocabulary: Vocabulary, name: str) -> Split:
    """Turns captions into ids, and tells what is left out."""
    texts = [text for row in rows for text in row]
    found = reading.encode_captions(texts, vocabulary, most=config.most_words)
    print(
        f"{name}: {len(texts):,} captions of {len(rows):,} pictures; {found.unknown:,} unknown "
        f"words are left out and {found.cut:,} captions cut after {config.most_words} words"
    )
    return Split(texts, np.repeat(np.arange(len(rows), dtype=np.int32), len(rows[0])), found.ids)


def make(config: Config, vocabulary: Vocabulary) -> tuple[nn.Module, Any]:
    """Returns the encoder and its parameters, from given word vectors where there are any.

    Raises:
      InputError: if the vectors are of another width or know no word.
    """
    given = None if config.vectors is None else io.read(config.vectors)
    width = config.width or (300 if given is None else given.vectors.shape[1])
    encoder = {"bag": BagEncoder, "gru": GruEncoder}[config.encoder]
    module = encoder(config.dim, len(vocabulary), width)
    params = jax.jit(module.init)(harness.keys(config, 4)[0], jnp.zeros((1, 1), jnp.int32))
    if given is not None:
        table = np.asarray(params["params"]["Embed_0"]["embedding"])
        start = start_from(table, vocabulary.ids, given.words, given.vectors)
        print(f"{start.known:,} of {len(vocabulary):,} words begin with the vectors given")
        params["params"]["Embed_0"]["embedding"] = jnp.asarray(start.table)
    return module, params


def train(
    config: Config, module: nn.Module, params: Any, split: Split, drawn: BalancedBatches
) -> two_views.Fitted:
    """Trains on two captions of each picture."""
    loss = {
        "info_nce": matching.losses.nt_xent(temperature=config.temperature),
        "sigmoid": matching.losses.sigmoid_pairs(),
        "triplet": matching.losses.triplet(margin=config.margin),
    }[config.loss]
    training = two_views.start(
        config.common.seed,
        module,
        loss,
        (split.ids, split.ids),
        config.options,
        labels=split.pictures,
        params={"first": params},
        rows=lambda start, stop: drawn.batches(start, stop).reshape(stop - start, -1, 2),
    )
    return harness.run(config.common, training)


def tfidf(train: Split, judged: dict[str, Split]) -> dict[str, np.ndarray]:
    """Returns each split's captions as counts of words, weighed by how few captions have them."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # loads slowly

    weigh = TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32).fit(train.texts)
    found = {}
    for name, split in judged.items():
        table = weigh.transform(split.texts)
        # What none of these captions has adds nothing to any cosine.
        found[name] = table[:, table.getnnz(axis=0) > 0].toarray()
    return found


def mean_of_words(table: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Returns the mean [M, W] of the vectors of each caption's words."""
    return np.array([table[row[row >= 0]].sum(axis=0) / max(1, (row >= 0).sum()) for row in ids])


def evaluate(
    vectors: dict[str, np.ndarray], splits: dict[str, Split]
) -> tuple[dict[str, float], Roc]:
    """Verifies all pairs of captions and searches them for each one's companions."""
    validation, test = (
        all_pairs(vectors[name], split.pictures, distance=pairwise_cosine)
        for name, split in splits.items()
    )
    told = verification(*test, validation=validation, false_accept_rate=FALSE_ACCEPT_RATE)
    (*_, name) = splits
    found = retrieval(vectors[name], splits[name].pictures, distance=pairwise_cosine)
    scores = told._asdict() | {f"recall_at_{k}": rate for k, rate in found.recall.items()}
    scores |= {"map": found.mean_average_precision, "map_at_r": found.map_at_r}
    return scores, roc(*test)


def show(split: Split, vectors: np.ndarray) -> None:
    """Prints some captions with those nearest to them; = marks captions of the same picture."""
    found = nearest_neighbors(vectors, k=NEAREST, metric="cosine")
    for query in np.arange(SHOWN) * (len(vectors) // SHOWN):
        print(f"\n  {split.texts[query]}")
        for row, distance in zip(found.ids[query], found.distances[query], strict=True):
            mark = "=" if split.pictures[row] == split.pictures[query] else " "
            print(f"    {distance:.3f} {mark} {split.texts[row]}")
    print()


def draw(config: Config, curves: dict[str, Roc]) -> None:
    """Draws how many true pairs are accepted where few others are."""
    from jaxemb.plots.lines import Line, write_lines

    rates = np.logspace(-5, 0, 41)
    lines = [
        Line(name, rates, np.interp(rates, curve.false_accept_rate, curve.validation_rate))
        for name, curve in curves.items()
    ]
    write_lines(
        config.common.out / "roc.png",
        lines,
        x="share of pairs of captions of two pictures that are accepted",
        y="share of pairs of one picture that are accepted",
        title="Do two captions describe one picture?",
        log_x=True,
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
