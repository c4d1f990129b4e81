"""Optax transforms for the rows of a large table that a batch touches.

A dense update of the whole table would cost more than the rest of a step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class RowOptimizer(NamedTuple):
    """An optimizer of single rows.

    Attributes:
      init: table [V, ...] -> state.
      scale: state -> the factor by which `update` expects gradients to be multiplied: a caller can
        often apply it to something smaller.
      update: (table [V, ...], state, *batches) -> (table, state), each batch of ids [...] and
        scaled gradients [..., ...]. Gradients of rows that occur several times, in one batch or in
        several, are summed. Ids of V or more are dropped.
    """

    init: Callable[[jax.Array], Any]
    scale: Callable[[Any], jax.Array | float]
    update: Callable[..., tuple[jax.Array, Any]]


def add_rows(table: jax.Array, ids: jax.Array, changes: jax.Array) -> jax.Array:
    """Adds to rows of a table, in place where the table isn't needed afterwards.

    It is `table.at[ids].add(changes, mode="drop")` in XLA's own form of a scatter; from other forms
    XLA gets there by a copy of the changes.

    Args:
      table: [V, ...].
      ids: [...] int rows; those of V or more, and negative ones, are dropped.
      changes: [..., ...] the addend of each id's row.

    Returns:
      [V, ...] the table.
    """
    row = table.shape[1:]
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(1, table.ndim + 1)),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=(0,),
    )
    return jax.lax.scatter_add(
        table,
        ids.reshape(-1, 1),
        changes.reshape(-1, 1, *row),
        numbers,
        mode=jax.lax.GatherScatterMode.FILL_OR_DROP,
    )


Batch = tuple[jax.Array, jax.Array]


def _joined(batches: tuple[Batch, ...], row: tuple[int, ...]) -> Batch:
    ids, gradients = zip(*batches, strict=True)
    return (
        jnp.concatenate([some.reshape(-1) for some in ids]),
        jnp.concatenate([some.reshape(-1, *row) for some in gradients]),
    )


def row_wise(transform: optax.GradientTransformation) -> RowOptimizer:
    """Applies an Optax transform to touched rows only.

    Its state is that of the whole table; the leaves that have a row for each row of the table are
    gathered and scattered with it, others (e.g. a step count) belong to all rows. Untouched rows
    and their state keep their bits, which makes Adam the lazy one: moments of absent words don't
    decay.

    Args:
      transform: any transform that treats rows alike.

    Returns:
      The optimizer.
    """

    def update(table: jax.Array, state: Any, *batches: Batch) -> tuple[jax.Array, Any]:
        rows = table.shape[0]
        ids, gradients = _joined(batches, table.shape[1:])
        touched, slot = jnp.unique(
            jnp.minimum(ids, rows), size=ids.size, fill_value=rows, return_inverse=True
        )
        merged = jnp.zeros_like(gradients).at[slot].add(gradients)

        def per_row(leaf: jax.Array) -> bool:
            return leaf.ndim > 0 and leaf.shape[0] == rows

        def gather(leaf: jax.Array) -> jax.Array:
            return leaf.at[touched].get(mode="clip") if per_row(leaf) else leaf

        def scatter(leaf: jax.Array, new: jax.Array) -> jax.Array:
            return leaf.at[touched].set(new, mode="drop") if per_row(leaf) else new

        updates, new_state = transform.update(merged, jax.tree.map(gather, state), gather(table))
        table = table.at[touched].add(updates, mode="drop")
        return table, jax.tree.map(scatter, state, new_state)

    return RowOptimizer(transform.init, lambda state: 1.0, update)


def row_sgd(learning_rate: optax.Schedule) -> RowOptimizer:
    """Descends along the gradient: `row_wise(optax.sgd(learning_rate))`, in one scatter a batch.

    The update is linear, so that the scatter sums duplicates.

    Args:
      learning_rate: schedule, update count -> learning rate.

    Returns:
      The optimizer; its state counts updates.
    """

    def update(table: jax.Array, count: jax.Array, *batches: Batch) -> tuple[jax.Array, jax.Array]:
        for ids, gradients in batches:
            table = add_rows(table, ids, gradients)
        return table, count + 1

    return RowOptimizer(
        lambda table: jnp.zeros((), jnp.int32), lambda count: -learning_rate(count), update
    )


def freeze(optimizer: RowOptimizer, frozen: jax.Array) -> RowOptimizer:
    """Freezes some rows and their state, bit for bit.

    Args:
      optimizer: of the other rows.
      frozen: [V] bool, True for rows to freeze.

    Returns:
      The optimizer.
    """

    def update(table: jax.Array, state: Any, *batches: Batch) -> tuple[jax.Array, Any]:
        rows = table.shape[0]

        def without(ids: jax.Array) -> jax.Array:
            return jnp.where(frozen[jnp.minimum(ids, rows - 1)], rows, ids)

        return optimizer.update(table, state, *((without(ids), some) for ids, some in batches))

    return RowOptimizer(optimizer.init, optimizer.scale, update)


def row_optimizer(name: str, learning_rate: optax.Schedule) -> RowOptimizer:
    """Returns the optimizer of that name.

    Args:
      name: "sgd", "adagrad" or "adam".
      learning_rate: schedule, update count -> learning rate.

    Returns:
      The optimizer.
    """
    return {
        "sgd": row_sgd,
        "adagrad": lambda rate: row_wise(optax.adagrad(rate)),
        "adam": lambda rate: row_wise(optax.adam(rate)),
    }[name](learning_rate)
