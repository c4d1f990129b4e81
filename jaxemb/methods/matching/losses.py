"""Losses that encoders are trained by: each a formula of `jaxemb.losses` as a `Loss`.

Example:
    import jax

    from jaxemb.methods.matching import Loss, losses
    from jaxemb.losses.terms import Terms

    ready = losses.cosface(margin=0.35, scale=64.0)
    both = losses.weighted([ready, losses.triplet(margin=0.2)], [1.0, 0.5])

    def pull(params, key, vectors, labels):  # a loss of one's own: an example with its next one
        gaps = vectors[::2] - vectors[1::2]
        return Terms((gaps**2).sum(axis=1), (labels[::2] == labels[1::2]).astype("int32"))

    own = Loss(pull)

A new one takes its formula in `jaxemb.losses`, and here a function and its line in `LOSSES`.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.losses.angular_margin import arcface_loss, cosface_loss
from jaxemb.losses.combined import check_weights, join_terms
from jaxemb.losses.contrastive import all_pairs_contrastive_loss
from jaxemb.losses.distances import pairwise_euclidean, pairwise_squared_euclidean, unit
from jaxemb.losses.info_nce import info_nce_loss, nt_xent_loss
from jaxemb.losses.n_pair import n_pair_loss
from jaxemb.losses.proxy import proxy_nca_loss
from jaxemb.losses.ranking import ranking_loss
from jaxemb.losses.sigmoid_pairs import sigmoid_pairs_loss
from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
from jaxemb.losses.terms import Terms
from jaxemb.losses.triplet import AllTriplets, all_triplets_loss, mined_triplets_loss
from jaxemb.methods.matching import mining as choices
from jaxemb.methods.matching.mining import Batch, Miner


class Loss(NamedTuple):
    """What an encoder is trained by.

    Attributes:
      terms: (the loss's own parameters, random key, vectors [B, D], labels of the batch) -> its
        terms. Labels are [B] int, or whatever rows the loss understands.
      init: (key, classes, dim) -> the parameters that the loss learns itself, such as proxies.
      chance: (examples of a batch, classes) -> about the loss of an untrained encoder, above four
        times of which a training is stopped. None takes that of the first step.
    """

    terms: Callable[[Any, jax.Array, jax.Array, Any], Terms]
    init: Callable[[jax.Array, int, int], Any] = lambda key, classes, dim: {}
    chance: Callable[[int, int], float] | None = None


def check_loss(loss: Any) -> None:
    """Refuses what is no `Loss`.

    Raises:
      InputError: naming what was found.
    """
    if not isinstance(loss, Loss):
        found = getattr(loss, "__name__", repr(loss))
        raise InputError(
            f"loss must be a Loss, such as losses.triplet(margin=0.2), found {found:.80}"
        )


def triplet(
    *, margin: float | None = 0.2, mining: str | Miner = "semi_hard", positives: int = 3
) -> Loss:
    """Triplets in squared distances (`jaxemb.losses.triplet`).

    Args:
      margin: of squared distances; None gives the soft margin.
      mining: which triplets: a name of `jaxemb.methods.matching.mining`, or a function like those.
      positives: the most of an anchor that are paired with it, the first of the batch; one less
        than `Options.samples` takes all. Not used by random and hardest.
    """
    if isinstance(mining, str) and mining not in choices.MINING:
        raise InputError(f"mining must be one of {', '.join(choices.MINING)}, found {mining!r}")
    if margin is None and mining == "semi_hard":
        raise InputError("margin must be a number for semi_hard mining, found None")
    mine = choices.MINING[mining] if isinstance(mining, str) else mining

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        squared = pairwise_squared_euclidean(vectors, vectors)
        seen = jax.lax.stop_gradient(squared)
        mined = mine(Batch(key, seen, labels, vectors.shape[1], margin, positives))
        if isinstance(mined, AllTriplets):
            return all_triplets_loss(squared, *mined, margin=margin)
        return mined_triplets_loss(vectors, mined, margin=margin)

    at_margin = math.log(2) if margin is None else margin
    return Loss(terms, chance=lambda batch, classes: at_margin + 1)


def contrastive(*, margin: float = 0.2) -> Loss:
    """All pairs of a batch (`jaxemb.losses.contrastive`); the margin is of distances."""

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        distances = pairwise_euclidean(vectors, vectors)
        return all_pairs_contrastive_loss(distances, labels, margin=margin)

    return Loss(terms, chance=lambda batch, classes: (1 + margin**2) / 2)


def supervised_contrastive(*, temperature: float = 0.1) -> Loss:
    """A softmax over the batch (`jaxemb.losses.supervised_contrastive`)."""

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        return supervised_contrastive_loss(vectors, labels, temperature=temperature)

    return Loss(terms, chance=lambda batch, classes: math.log(batch))


def proxy_nca(*, temperature: float = 0.1) -> Loss:
    """A learned proxy for each class (`jaxemb.losses.proxy`)."""

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        return proxy_nca_loss(vectors, labels, params["centers"], temperature=temperature)

    return Loss(terms, _centers, lambda batch, classes: math.log(classes) + 1 / temperature)


def cosface(*, margin: float = 0.35, scale: float = 64.0) -> Loss:
    """A margin of cosines to learned class vectors (`jaxemb.losses.angular_margin`)."""

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        return cosface_loss(vectors, labels, params["centers"], scale=scale, margin=margin)

    return Loss(terms, _centers, lambda batch, classes: math.log(classes) + (1 + margin) * scale)


def arcface(*, margin: float = 0.5, scale: float = 64.0) -> Loss:
    """A margin of angles to learned class vectors, in radians (`jaxemb.losses.angular_margin`)."""

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        return arcface_loss(vectors, labels, params["centers"], scale=scale, margin=margin)

    return Loss(terms, _centers, lambda batch, classes: math.log(classes) + 2 * scale)


def nt_xent(*, temperature: float = 0.1) -> Loss:
    """Examples 0 and 1, 2 and 3, ... of a batch as two views (`jaxemb.losses.info_nce`).

    A balanced batch has the samples of a class side by side: `Options.samples` must be even.
    """

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        first, second, own = _pairs(vectors, labels)
        return nt_xent_loss(first, second, temperature=temperature, labels=own)

    return Loss(terms, chance=lambda batch, classes: math.log(batch) + 1 / temperature)


def info_nce(*, temperature: float = 0.1) -> Loss:
    """Examples 0 and 1, 2 and 3, ... of a batch as pairs (`jaxemb.losses.info_nce`), both ways.

    Unlike in `nt_xent` an example is told from the partners of others alone, not from those others:
    for pairs of two kinds, such as pictures and words (Radford et al. 2021, arXiv:2103.00020).
    `Options.samples` must be even.
    """

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        first, second, own = _pairs(vectors, labels)
        there, back = (
            info_nce_loss(*views, temperature=temperature, labels=own)
            for views in ((first, second), (second, first))
        )
        return Terms(there.loss + back.loss, there.counts + back.counts)

    return Loss(terms, chance=lambda batch, classes: math.log(batch / 2) + 1 / temperature)


def ranking(*, margin: float = 0.1) -> Loss:
    """Examples 0 and 1, 2 and 3, ... of a batch as pairs (`jaxemb.losses.ranking`).

    The margin is of cosines; the first of each pair ranks the second ones. `Options.samples` must
    be even.
    """

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        first, second, own = _pairs(vectors, labels)
        return ranking_loss(first, second, margin=margin, labels=own)

    return Loss(terms, chance=lambda batch, classes: (margin + 1) * batch / 2)


def sigmoid_pairs(*, scale: float = 10.0, bias: float = -10.0) -> Loss:
    """Examples 0 and 1, 2 and 3, ... of a batch as pairs (`jaxemb.losses.sigmoid_pairs`).

    Scale and bias are learned from these on (Zhai et al. 2023, section 3.2). `Options.samples`
    must be even.
    """

    def init(key: jax.Array, classes: int, dim: int) -> dict[str, jax.Array]:
        return {"log_scale": jnp.log(scale), "bias": jnp.array(bias)}

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        first, second, own = _pairs(vectors, labels)
        learned, offset = jnp.exp(params["log_scale"]), params["bias"]
        return sigmoid_pairs_loss(first, second, scale=learned, bias=offset, labels=own)

    return Loss(terms, init, lambda batch, classes: abs(bias) + batch / 2)


def n_pair(*, scale: float = 10.0) -> Loss:
    """Examples 0 and 1, 2 and 3, ... of a batch as pairs (`jaxemb.losses.n_pair`).

    The formula's vectors have any length; those of encoders have length 1, which the scale, a
    factor of their inner products, makes up for. `Options.samples` must be even.
    """

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        first, second, own = _pairs(vectors, labels)
        return n_pair_loss(scale * first, second, labels=own)

    return Loss(terms, chance=lambda batch, classes: math.log(batch) + scale)


def weighted(losses: Sequence[Loss], weights: Sequence[float]) -> Loss:
    """Several losses as one, each averaged over its own terms (`jaxemb.losses.combined`).

    Args:
      losses: to combine.
      weights: one for each, finite and at least 0.

    Raises:
      InputError: if they are not.
    """
    check_weights(weights, len(losses))

    def init(key: jax.Array, classes: int, dim: int) -> tuple[Any, ...]:
        keys = jax.random.split(key, len(losses))
        return tuple(loss.init(own, classes, dim) for loss, own in zip(losses, keys, strict=True))

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: Any) -> Terms:
        keys = jax.random.split(key, len(losses))
        found = [
            loss.terms(own, own_key, vectors, labels)
            for loss, own, own_key in zip(losses, params, keys, strict=True)
        ]
        return join_terms(found, weights)

    def chance(batch: int, classes: int) -> float:
        found = [loss.chance(batch, classes) for loss in losses if loss.chance is not None]
        return sum(weight * one for weight, one in zip(weights, found, strict=True))

    known = all(loss.chance is not None for loss in losses)
    return Loss(terms, init, chance if known else None)


def projected(loss: Loss, *, dim: int = 64, hidden: int = 128) -> Loss:
    """A loss of what two dense layers make of the vectors, which only training has.

    The vectors before this projection head keep more of what tells apart classes never seen: it is
    the head's that become the same for a class (Chen et al. 2020, arXiv:2002.05709, section 4.2).

    Args:
      loss: of vectors of length 1.
      dim: width of those that it gets.
      hidden: width of the layer between, with ReLU.

    Raises:
      InputError: if a width is below 1.
    """
    if min(dim, hidden) < 1:
        raise InputError(f"dim and hidden must be at least 1, found {dim} and {hidden}")
    draw = jax.nn.initializers.lecun_normal()

    def init(key: jax.Array, classes: int, width: int) -> dict[str, Any]:
        keys = jax.random.split(key, 3)
        return {
            "first": draw(keys[0], (width, hidden)),
            "second": draw(keys[1], (hidden, dim)),
            "loss": loss.init(keys[2], classes, dim),
        }

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: Any) -> Terms:
        # Entries of vectors of length 1 are small, those that layers are made for are about 1.
        scaled = math.sqrt(vectors.shape[1]) * vectors
        found = jax.nn.relu(scaled @ params["first"]) @ params["second"]
        return loss.terms(params["loss"], key, unit(found), labels)

    return Loss(terms, init, loss.chance)


def _centers(key: jax.Array, classes: int, dim: int) -> dict[str, jax.Array]:
    return {"centers": jax.random.normal(key, (classes, dim), jnp.float32)}


def _pairs(vectors: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns every other vector, the one after it, and their labels."""
    return vectors[::2], vectors[1::2], labels[::2]


# Each of the numbers that it takes of a `Choice`, and of the samples of a class in a batch.
LOSSES: dict[str, Callable[[Any, int], Loss]] = {
    "triplet": lambda given, samples: triplet(
        margin=given.margin, mining=given.mining, positives=samples - 1
    ),
    "contrastive": lambda given, samples: contrastive(margin=given.margin),
    "supervised_contrastive": lambda given, samples: supervised_contrastive(
        temperature=given.temperature
    ),
    "proxy_nca": lambda given, samples: proxy_nca(temperature=given.temperature),
    "cosface": lambda given, samples: cosface(margin=given.margin, scale=1 / given.temperature),
    "arcface": lambda given, samples: arcface(margin=given.margin, scale=1 / given.temperature),
    "nt_xent": lambda given, samples: nt_xent(temperature=given.temperature),
    "info_nce": lambda given, samples: info_nce(temperature=given.temperature),
    "ranking": lambda given, samples: ranking(margin=given.margin),
    "n_pair": lambda given, samples: n_pair(scale=1 / given.temperature),
    "sigmoid_pairs": lambda given, samples: sigmoid_pairs(scale=1 / given.temperature),
}

PAIRED = ("nt_xent", "info_nce", "ranking", "n_pair", "sigmoid_pairs")
"""Losses of examples 0 and 1, 2 and 3, ... of a batch."""

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(LOSSES)]


@documented
@dataclasses.dataclass(frozen=True)
class Choice:
    """A loss by its name, as on a command line."""

    loss: Name = "supervised_contrastive"
    """What brings examples of a class together."""
    mining: choices.Name = "semi_hard"
    """Which triplets of a batch to learn from: triplet."""
    margin: float = 0.2
    """Of squared distances: triplet; of distances: contrastive; of cosines: cosface and ranking; of
    angles in radians: arcface."""
    temperature: float = 0.1
    """What cosines are divided by: all but triplet, contrastive and ranking."""

    def __post_init__(self):
        """Refuses values that no loss can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "margin", at_least=0, at_most=4)
        checks.check_field(self, "temperature", above=0, at_most=100)


def choose(choice: Choice, *, samples: int) -> Loss:
    """Returns the loss of a name.

    Args:
      choice: name and numbers.
      samples: examples of a class in a batch; those that an anchor is paired with are one less.

    Raises:
      InputError: if the loss needs an even number of samples and this is odd.
    """
    if choice.loss in PAIRED and samples % 2:
        raise InputError(f"samples must be even for {choice.loss}, found {samples}")
    return LOSSES[choice.loss](choice, samples)
