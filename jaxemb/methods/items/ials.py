"""Weighted factorization: users are solved with items fixed, then items with users fixed."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.events import Events
from jaxemb.factorize.least_squares import solve_rows
from jaxemb.methods.items.options import Options
from jaxemb.sampling.row_pieces import Pieces, RowPieces
from jaxemb.training.state import Training, TrainState, Unit, Update

# The vectors' length at the start: small ones leave the first solution to the data.
_INIT_SCALE = 0.1


class Block(NamedTuple):
    """A step's input: rows of a table of users, then items.

    Attributes:
      pieces: the rows to solve, and what they are solved from.
      items: [] bool, whether these rows are items.
      begins: [] bool, whether they are the first of their side.
    """

    pieces: Pieces
    items: Any
    begins: Any


def start(key: jax.Array, events: Events, options: Options) -> Training:
    """Prepares the training; its last state has the table {"vectors": [U + I, D]}."""
    users, items = len(events.user_names), len(events.item_names)
    pairs = (events.users, events.items)
    # What one pair has several times adds up.
    weights = csr_array((options.alpha * events.weights, pairs), shape=(users, items))
    both = (weights, weights.T.tocsr())
    sides = [RowPieces(side) for side in both]
    pieces = max(side.pieces for side in sides)
    sweep = sum(side.steps for side in sides)
    base_key, init_key = jax.random.split(key)
    scale = _INIT_SCALE / options.dim**0.5
    table = scale * jax.random.normal(init_key, (users + items, options.dim), jnp.float32)
    # Whoever has no event is never solved: the solution is 0.
    known = np.concatenate([np.diff(side.indptr) for side in both]) > 0
    table = jnp.where(known[:, None], table, 0)

    def block(step: int) -> Block:
        at = step % sweep
        second = at >= sides[0].steps
        at -= sides[0].steps * second
        found = sides[second].step(at, pieces=pieces)
        own, others = (users, 0) if second else (0, users)
        size = items if second else users
        rows = np.where(found.rows < size, found.rows + own, users + items).astype(np.int32)
        found = found._replace(rows=rows, columns=found.columns + np.int32(others))
        return Block(found, np.array(second), np.array(at == 0))

    def batches(start: int, stop: int) -> Block:
        return jax.tree.map(lambda *leaves: np.stack(leaves), *map(block, range(start, stop)))

    return Training(
        TrainState(
            jnp.zeros((), jnp.int32),
            base_key,
            {"vectors": table},
            {"gram": jnp.zeros((options.dim, options.dim), jnp.float32)},
        ),
        options.passes * sweep,
        batches,
        Update(lambda key, batch: jax.tree.map(jnp.asarray, batch), _step(users, options.penalty)),
        lambda state: state,
        # What vectors of zeros leave: all.
        chance_loss=1.0,
        unit=Unit("events", len(events.users) / sweep),
        about=options,
    )


def _step(users: int, penalty: float) -> Any:
    def take(state: TrainState, block: Block) -> tuple[TrainState, dict[str, jax.Array]]:
        table = state.params["vectors"]
        gram = jax.lax.cond(
            block.begins,
            lambda: _gram(table, (jnp.arange(len(table)) < users) == block.items),
            lambda: state.opt_state["gram"],
        )
        rows, owners, columns, values = block.pieces
        solved = solve_rows(table[columns], values, owners, gram, rows=len(rows), penalty=penalty)
        table = table.at[rows].set(solved.rows, mode="drop")
        # Of many steps the mean: each tells the share of its own rows.
        loss = solved.squares.sum() / solved.most.sum()
        metrics = {"loss": loss, "learning_rate": jnp.ones(())}
        params, kept = {"vectors": table}, {"gram": gram}
        return TrainState(state.step + 1, state.key, params, kept, state.numbers), metrics

    return take


def _gram(table: jax.Array, where: jax.Array) -> jax.Array:
    """Returns the sum of the outer products of some rows, [D, D]."""
    some = jnp.where(where[:, None], table, 0)
    return jnp.matmul(some.T, some, precision=jax.lax.Precision.HIGHEST)
