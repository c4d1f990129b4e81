import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.parts import hold, in_parts, join

COUNT, ROWS, SIDE = 4, 8, 16


def test_parts_joined_are_the_whole():
    matrices = jax.random.normal(jax.random.key(0), (ROWS, SIDE, SIDE))
    found = join(in_parts(lambda some: some @ some, COUNT, (matrices,)))
    np.testing.assert_array_equal(found, matrices @ matrices)


def test_what_is_held_adds_nothing():
    arrays = {"a": jnp.full((2, 3), 7.0), "b": (jnp.zeros((4, 0)), jnp.float32(-1))}
    assert float(hold(arrays)) == 0
    assert float(hold([])) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_held_and_not_finite_is_told(bad):
    assert np.isnan(float(hold([jnp.ones(3), jnp.float32(bad)])))


def powers(matrices):
    """Returns the second to sixth powers."""
    found = [matrices]
    for _ in range(5):
        found.append(jnp.einsum("nij,njk->nik", found[-1], matrices))
    return found[1:]


def memory(held):
    """Returns the bytes that powers in parts take beside what goes in and out."""

    def highest(matrices):
        found = in_parts(powers, COUNT, (matrices,))
        return sum(some[-1] for some in found), hold(found) if held else 0

    shape = jax.ShapeDtypeStruct((ROWS, SIDE, SIDE), jnp.float32)
    return jax.jit(highest).lower(shape).compile().memory_analysis().temp_size_in_bytes


def test_held_arrays_share_no_memory():
    all_powers = 5 * ROWS * SIDE * SIDE * 4
    assert memory(held=False) < all_powers <= memory(held=True)
