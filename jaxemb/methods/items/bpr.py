"""Bayesian personalized ranking: each event against an item that its user has not."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxemb.data.events import Events
from jaxemb.losses.bpr import bpr_loss
from jaxemb.methods.items.options import Options
from jaxemb.optim.rowwise import RowOptimizer, row_wise
from jaxemb.sampling.ranking_triples import Triples, TripleStream
from jaxemb.training.state import Training, TrainState, Unit, Update

_INIT_SCALE = 0.1


def start(key: jax.Array, events: Events, options: Options) -> Training:
    """Prepares the training; its last state has the table {"vectors": [U + I, D + 1]}.

    The last number of an item is its bias, that of a user is 1.
    """
    users, items = len(events.user_names), len(events.item_names)
    base_key, init_key, stream_key = jax.random.split(key, 3)
    size = min(options.batch, len(events.users))
    stream = TripleStream(stream_key, events, size=size)
    scale = _INIT_SCALE / options.dim**0.5
    table = scale * jax.random.normal(init_key, (users + items, options.dim), jnp.float32)
    bias = (jnp.arange(users + items) < users).astype(jnp.float32)[:, None]
    table = jnp.concatenate([table, bias], axis=1)
    steps = options.passes * stream.epoch_steps
    rate = optax.linear_schedule(options.rate, 0.0, steps)
    # Rare items move as far as frequent ones.
    optimizer = row_wise(optax.adagrad(rate, initial_accumulator_value=1e-6))
    update = Update(
        lambda key, batch: jax.tree.map(jnp.asarray, batch),
        _step(users, options, optimizer, rate),
    )
    return Training(
        TrainState(jnp.zeros((), jnp.int32), base_key, {"vectors": table}, optimizer.init(table)),
        steps,
        stream.batches,
        update,
        lambda state: state,
        chance_loss=float(jnp.log(2.0)),
        call_steps=100,
        unit=Unit("events", size),
        about=options,
    )


def _step(users: int, options: Options, optimizer: RowOptimizer, rate: optax.Schedule) -> Any:
    def objective(
        rows: tuple[jax.Array, jax.Array, jax.Array], where: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        losses = bpr_loss(*rows, where=where)
        squares = sum(jnp.sum(jnp.square(side), axis=1) for side in rows)
        penalty = 0.5 * options.penalty * jnp.where(where, squares, 0)
        return (losses + penalty).sum(), losses.sum() / jnp.maximum(where.sum(), 1)

    def take(state: TrainState, batch: Triples) -> tuple[TrainState, dict[str, jax.Array]]:
        table = state.params["vectors"]
        ids = (batch.users, batch.items + users, batch.others + users)
        rows = tuple(table[side] for side in ids)
        (_, loss), gradients = jax.value_and_grad(objective, has_aux=True)(rows, batch.where)
        # What multiplies the bias stays 1.
        gradients = (gradients[0].at[:, -1].set(0), *gradients[1:])
        found = zip(ids, gradients, strict=True)
        table, opt_state = optimizer.update(table, state.opt_state, *found)
        metrics = {"loss": loss, "learning_rate": rate(state.step)}
        params = {"vectors": table}
        return TrainState(state.step + 1, state.key, params, opt_state, state.numbers), metrics

    return take
