import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.parts import in_parts, join, keep_alive

COUNT, ROWS, SIDE = 4, 8, 16


def test_parts_joined_are_the_whole():
    matrices = jax.random.normal(jax.random.key(0), (ROWS, SIDE, SIDE))
    found = join(in_parts(lambda some: some @ some, COUNT, (matrices,)))
    np.testing.assert_array_equal(found, matrices @ matrices)


ARRAYS = {"a": jnp.full((2, 3), 7.0), "b": (jnp.zeros((4, 0)), jnp.float32(-1))}


@pytest.mark.parametrize(
    "arrays", [ARRAYS, [], [jnp.ones(3), jnp.float32(np.nan)], [jnp.full(2, np.inf)]]
)
def test_a_count_stays_the_same_whatever_is_kept_alive(arrays):
    found = jax.jit(keep_alive)(jnp.int32(41), arrays)
    assert (int(found), found.dtype) == (41, jnp.int32)


def powers(matrices):
    """Returns the second to sixth powers."""
    found = [matrices]
    for _ in range(5):
        found.append(jnp.einsum("nij,njk->nik", found[-1], matrices))
    return found[1:]


def memory(held):
    """Returns the bytes that powers in parts take beside what goes in and out."""

    def highest(count, matrices):
        found = in_parts(powers, COUNT, (matrices,))
        return sum(some[-1] for some in found), keep_alive(count, found) if held else count

    shape = jax.ShapeDtypeStruct((ROWS, SIDE, SIDE), jnp.float32)
    return (
        jax.jit(highest).lower(jnp.int32(3), shape).compile().memory_analysis().temp_size_in_bytes
    )


def test_arrays_kept_alive_share_no_memory():
    all_powers = 5 * ROWS * SIDE * SIDE * 4
    assert memory(held=False) < all_powers <= memory(held=True)
