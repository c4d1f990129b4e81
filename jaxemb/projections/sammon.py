"""Sammon's mapping: errors of distances count relative to their size."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.factorize.row_blocks import map_rows
from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.losses.stress import sammon_stress


def newton_direction(positions: jax.Array, distances: jax.Array) -> jax.Array:
    """Returns Newton's step of each coordinate separately, all others fixed.

    Args:
      positions: [N, d] the map.
      distances: [N, N] target distances d*, symmetric, above 0 off the diagonal.

    Returns:
      [N, d] the stress's first derivative over the magnitude of its second, sign flipped. Points at
      the same place don't push each other.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Sammon 1969, "A nonlinear mapping for data structure analysis", appendix I.
    """
    chex.assert_rank(positions, 2)
    count = len(positions)
    chex.assert_shape(distances, (count, count))

    def of_rows(moved: jax.Array, wanted: jax.Array) -> jax.Array:
        squares = pairwise_squared_euclidean(moved, positions)  # [B, N]
        pairs = (squares > 0) & (wanted > 0)
        found = jnp.sqrt(jnp.where(pairs, squares, 1))
        errors = wanted - found
        weights = jnp.where(pairs, 1 / (jnp.where(pairs, wanted, 1) * found), 0)
        bend = weights * (1 + errors / found) / found
        weighted = weights * errors
        steps = []
        for mine, others in zip(moved.T, positions.T, strict=True):
            differences = mine[:, None] - others[None, :]
            # Both derivatives lack the same factor, -2 / c.
            first = jnp.sum(weighted * differences, axis=1)
            second = jnp.sum(weighted - bend * jnp.square(differences), axis=1)
            curved = second != 0
            steps.append(jnp.where(curved, first / jnp.where(curved, jnp.abs(second), 1), 0))
        return jnp.stack(steps, axis=1)

    return map_rows(of_rows, positions, distances)


def newton_step(
    positions: jax.Array, distances: jax.Array, *, magic_factor: float, halvings: int = 24
) -> tuple[jax.Array, jax.Array]:
    """Makes a step that lowers the stress.

    A departure from the paper, which makes every step in full: where a second derivative is near 0,
    that throws points far out. Here the step is halved until the stress falls; if it never does,
    the points stay.

    Args:
      positions: [N, d] the map.
      distances: [N, N] target distances, symmetric, above 0 off the diagonal.
      magic_factor: share of Newton's step that is tried first; 0.3 to 0.4 in the paper.
      halvings: of a step, at most; beyond 24, float32 can't tell its end from its start.

    Returns:
      positions: [N, d] the map afterwards.
      stress: [] Sammon's stress before it, independent of scale.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Sammon 1969, eq. 4; the halving as in Cawley & Talbot's and MASS's programs.
    """
    direction = newton_direction(positions, distances)
    stress = sammon_stress(positions, distances)

    def higher(carry: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        done, _, after = carry
        # NaN fails this comparison, and is halved, too.
        return ~(after < stress) & (done < halvings)

    def halve(
        carry: tuple[jax.Array, jax.Array, jax.Array],
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        done, factor, _ = carry
        return (
            done + 1,
            factor / 2,
            sammon_stress(positions + factor / 2 * direction, distances),
        )

    factor = jnp.asarray(magic_factor, positions.dtype)
    begin = (jnp.int32(0), factor, sammon_stress(positions + factor * direction, distances))
    _, factor, after = jax.lax.while_loop(higher, halve, begin)
    return jnp.where(after < stress, positions + factor * direction, positions), stress
