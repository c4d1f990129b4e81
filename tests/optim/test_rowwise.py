import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.optim.rowwise import add_rows, freeze, row_optimizer, row_sgd, row_wise

V, D, N = 9, 4, 12
TRANSFORMS = {
    "sgd": optax.sgd(0.1),
    "momentum": optax.sgd(0.1, momentum=0.9),
    "adagrad": optax.adagrad(0.1),
    "adam": optax.adam(0.1),
    "clipped": optax.chain(optax.clip(0.5), optax.adam(0.1)),
}


def compiled(optimizer):
    """With its update as one program: operation by operation, each would be compiled."""
    return optimizer._replace(update=jax.jit(optimizer.update))


def batch(seed, words=V):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, words, N).astype(np.int32)
    return ids, rng.normal(size=(N, D)).astype(np.float32)


def table():
    return jnp.asarray(np.random.default_rng(99).normal(size=(V, D)), jnp.float32)


def dense(ids, gradients):
    merged = np.zeros((V, D), np.float32)
    for i, gradient in zip(ids, gradients, strict=True):
        merged[i] += gradient
    return merged


@pytest.mark.parametrize("name", TRANSFORMS)
def test_row_by_row_is_the_dense_transform_where_all_rows_are_touched(name):
    transform = TRANSFORMS[name]
    optimizer = compiled(row_wise(transform))
    update = jax.jit(transform.update)
    rows, state = table(), optimizer.init(table())
    whole, whole_state = table(), transform.init(table())
    for step in range(4):
        ids, gradients = batch(step)
        # Every row once, and some of them again.
        ids = np.concatenate([ids, np.arange(V, dtype=np.int32)[::-1]])
        gradients = np.concatenate([gradients, np.full((V, D), 0.3, np.float32)])
        rows, state = optimizer.update(rows, state, (ids, gradients))
        updates, whole_state = update(dense(ids, gradients), whole_state, whole)
        whole = optax.apply_updates(whole, updates)
    # The order in which duplicates are added differs.
    np.testing.assert_allclose(rows, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_untouched_rows_and_their_state_keep_their_bits(name):
    optimizer = compiled(row_wise(TRANSFORMS[name]))
    before, state = table(), optimizer.init(table())
    before, state = optimizer.update(before, state, batch(0))
    after, new_state = optimizer.update(before, state, batch(1, words=4))
    before, after, state, new_state = jax.tree.map(np.asarray, (before, after, state, new_state))
    np.testing.assert_array_equal(after[4:], before[4:])
    for old, new in zip(jax.tree.leaves(state), jax.tree.leaves(new_state), strict=True):
        if old.ndim:
            np.testing.assert_array_equal(new[4:], old[4:])


def test_rows_of_a_lazy_transform_are_those_of_a_table_of_them_alone():
    """A row's history is its own: gather, update and scatter mix nothing up."""
    optimizer = compiled(row_wise(optax.adagrad(0.1)))
    update = jax.jit(optax.adagrad(0.1).update)
    rows, state = table(), optimizer.init(table())
    for step in range(3):
        rows, state = optimizer.update(rows, state, batch(step))
    for word in range(V):
        alone = table()[word : word + 1]
        alone_state = optax.adagrad(0.1).init(alone)
        for step in range(3):
            ids, gradients = batch(step)
            if (ids == word).any():
                gradient = dense(ids, gradients)[word : word + 1]
                updates, alone_state = update(gradient, alone_state, alone)
                alone = optax.apply_updates(alone, updates)
        np.testing.assert_allclose(rows[word], alone[0], rtol=1e-5, atol=1e-6)


def test_row_sgd_is_row_wise_sgd():
    schedule = optax.linear_schedule(0.5, 0.1, 3)
    fast, plain = compiled(row_sgd(schedule)), compiled(row_wise(optax.sgd(schedule)))
    rows, state = table(), fast.init(table())
    expected, expected_state = table(), plain.init(table())
    for step in range(5):
        ids, gradients = batch(step)
        rows, state = fast.update(rows, state, (ids, fast.scale(state) * gradients))
        expected, expected_state = plain.update(
            expected, expected_state, (ids, plain.scale(expected_state) * gradients)
        )
    np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adagrad", "adam"])
def test_frozen_rows_keep_their_bits(name):
    frozen = jnp.arange(V) % 3 == 1
    optimizer = compiled(freeze(row_optimizer(name, optax.constant_schedule(0.1)), frozen))
    # -0.0 + 0.0 is +0.0: adding nothing would change these bits.
    start = table().at[1].set(-0.0)
    rows, state = start, optimizer.init(start)
    for step in range(3):
        ids, gradients = batch(step)
        rows, state = optimizer.update(rows, state, (ids, optimizer.scale(state) * gradients))
    kept = np.asarray(frozen)
    assert np.asarray(rows)[kept].tobytes() == np.asarray(start)[kept].tobytes()
    touched = np.unique(np.concatenate([batch(step)[0] for step in range(3)]))
    free = [i for i in touched if not kept[i]]
    assert (np.asarray(rows)[free] != np.asarray(start)[free]).any(axis=1).all()


@pytest.mark.parametrize("name", ["sgd", "adagrad", "adam"])
def test_ids_beyond_the_table_are_dropped(name):
    optimizer = compiled(row_optimizer(name, optax.constant_schedule(0.1)))
    ids, gradients = batch(0, words=5)
    bad = np.concatenate([ids, np.array([V, V + 7], np.int32)])
    more = np.concatenate([gradients, np.full((2, D), 1e9, np.float32)])
    found, expected = (
        optimizer.update(table(), optimizer.init(table()), pair)[0]
        for pair in ((bad, more), (ids, gradients))
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["sgd", "adagrad", "adam"])
def test_batches_are_one_batch(name):
    optimizer = compiled(row_optimizer(name, optax.constant_schedule(0.1)))
    first, second = batch(0), batch(1)
    joined = tuple(np.concatenate(pair) for pair in zip(first, second, strict=True))
    found = optimizer.update(table(), optimizer.init(table()), first, second)
    expected = optimizer.update(table(), optimizer.init(table()), joined)
    for some, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        # The order in which duplicates are added may differ.
        np.testing.assert_allclose(some, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", [(), (4,), (2, 3)])
def test_rows_are_added(row):
    rng = np.random.default_rng(1)
    ids, whole = rng.integers(-1, V + 2, (3, 5)), rng.normal(size=(V, *row))
    changes = rng.normal(size=(3, 5, *row))
    expected = whole.copy()
    for i in np.ndindex(3, 5):
        if 0 <= ids[i] < V:
            expected[ids[i]] += changes[i]
    found = jax.jit(add_rows)(np.float32(whole), ids, np.float32(changes))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
