"""One step of paragraph vectors: from a batch of text to changed rows of the two tables."""

import jax
import jax.numpy as jnp
import optax

from jaxemb.methods.paragraph_vectors import objective
from jaxemb.methods.word2vec.settings import Example, Gradients, Params, Scale, Settings
from jaxemb.methods.word2vec.step import descend
from jaxemb.optim.rowwise import row_sgd
from jaxemb.sampling.noise import NoiseDistribution
from jaxemb.sampling.text import TextBatch
from jaxemb.training.state import Update


def update(
    settings: Settings,
    noise: NoiseDistribution,
    learning_rate: optax.Schedule,
    *,
    rows: range,
    document_means: float,
) -> Update:
    """Returns a step of gradient descent by negative sampling.

    Args:
      settings: of the step.
      noise: what noise words are drawn from.
      learning_rate: its schedule, reported with the loss.
      rows: of the documents in the table "input", its last ones.
      document_means: multiple of its mean gradient by which a document moves in a step at most.

    Returns:
      The step. Its metrics are "loss", in nats a prediction, over a sample of them, and
      "learning_rate"; parameters are {"input": [V + D, dim], "output": [V, dim]}.

    Reference:
      Le and Mikolov 2014, arXiv:1405.4053, section 2.
    """

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        return objective.example(key, settings, noise, batch, rows, document_means)

    optimizer = row_sgd(learning_rate)
    return Update(draw, descend(settings, objective.gradients, optimizer, learning_rate))


def update_documents(
    settings: Settings,
    noise: NoiseDistribution,
    learning_rate: optax.Schedule,
    *,
    rows: range,
    document_means: float,
) -> Update:
    """Returns a step that leaves all words as they are and takes each document by itself.

    Groups are documents, or parts of them. All draw the same windows and the same noise words, so
    that the vector of a document is the same whatever stands beside it.

    Args:
      settings: of the step.
      noise: as for `update`.
      learning_rate: as for `update`.
      rows: as for `update`; without words, where they don't help to predict, from 0 on.
      document_means: as for `update`.
    """

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        def alone(group: TextBatch) -> Example:
            one = settings._replace(groups=1)
            group = jax.tree.map(lambda leaf: leaf[None], group)
            found = objective.example(key, one, noise, group, rows, document_means)
            return jax.tree.map(lambda leaf: leaf[0], found)

        return jax.vmap(alone)(jax.tree.map(jnp.asarray, batch))

    def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
        found = objective.gradients(settings, example, tables, scale)
        inputs = [
            (jnp.where(ids < rows.start, rows.stop, ids), changes)
            for ids, changes in found.changes["input"]
        ]
        return found._replace(changes={"input": inputs, "output": []}, held=())

    return Update(draw, descend(settings, gradients, row_sgd(learning_rate), learning_rate))
