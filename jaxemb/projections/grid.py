"""The potential of a map's points, computed on a grid.

The potential is phi(y) = sum_j 1 / (1 + |y - y_j|^2). Points are spread over nodes by B-splines,
Fourier transforms convolve, and the same splines and their derivatives read potential and gradient
off at any place. This is the smooth particle mesh of Essmann et al. 1995 (J. Chem. Phys. 103, 8577)
for another kernel, with the influence function of Hockney & Eastwood 1988 (section 8-3-3), which
makes the error of the gradient smallest.
"""

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Lines of a Fourier transform are a multiple of this: 16 floats fill the widest vector register.
_LINES = 16 * (os.cpu_count() or 1)


class Mesh(NamedTuple):
    """How fine a grid is.

    Attributes:
      per_unit: nodes per unit of the map along each axis; where steps are compiled, an array.
      order: of the B-splines, the nodes along each axis that a point touches; at least 3.
    """

    per_unit: Any
    order: int


def nodes_for(span: float, mesh: Mesh) -> int:
    """Returns how many nodes along an axis hold points that lie within `span` units."""
    return int(np.ceil(span * mesh.per_unit)) + mesh.order + 1


def capacity(nodes: int, mesh: Mesh) -> float:
    """Returns the span of points, in units, that this many nodes hold."""
    return (nodes - mesh.order - 1) / mesh.per_unit


def influence(*, nodes: int, dim: int, mesh: Mesh) -> jax.Array:
    """Returns the factor of each frequency that makes charges into a potential.

    Args:
      nodes: G along each axis; the transforms have 2G, so that nothing wraps around.
      dim: d, axes.
      mesh: how fine they lie.

    Returns:
      [G + 1, 2G, ..., 2G] real, in the order of `_waves`.
    """
    return _influence(jnp.float32(mesh.per_unit), nodes=nodes, dim=dim, order=mesh.order)


@functools.partial(jax.jit, static_argnames=("nodes", "dim", "order"))
def _influence(per_unit: jax.Array, *, nodes: int, dim: int, order: int) -> jax.Array:
    size = 2 * nodes
    step = jnp.minimum(jnp.arange(size), size - jnp.arange(size)) / per_unit
    squares = _over_axes([step * step] * dim, jnp.add)
    kernel = _waves(1 / (1 + squares), size).real

    def frequencies(count: int) -> tuple[jax.Array, ...]:
        """Returns, for one axis, squared radians a node, the spline's power and sums of aliases."""
        at = jnp.arange(count)
        radians = 2 * jnp.pi / size * jnp.where(at > nodes, at - size, at)
        # All frequencies that look the same on the nodes.
        aliases = radians[:, None] + 2 * jnp.pi * jnp.arange(-3, 4)[None]
        spline = jnp.sinc(aliases / (2 * jnp.pi)) ** (2 * order)
        slope = jnp.sum(spline * aliases**2, axis=1)
        return radians**2, spline[:, 3], jnp.sum(spline, axis=1), slope

    axes = [frequencies(nodes + 1)] + [frequencies(size)] * (dim - 1)
    squared, spline, aliased, slope = zip(*axes, strict=True)
    wave = _over_axes(squared, jnp.add)
    value = _over_axes(aliased, jnp.multiply)
    # The squared gradient of all aliases: each axis's slopes times the other axes' values.
    slopes = [
        _over_axes([slope[i] if i == axis else aliased[i] for i in range(dim)], jnp.multiply)
        for axis in range(dim)
    ]
    still = wave == 0  # the constant part has no gradient, only a value
    ratio = jnp.where(still, 1 / value, wave / jnp.where(still, 1, sum(slopes)))
    return kernel * _over_axes(spline, jnp.multiply) * ratio / value


def potential(
    positions: jax.Array, corner: jax.Array, influence: jax.Array, *, nodes: int, mesh: Mesh
) -> jax.Array:
    """Returns the potential of points at the nodes of a grid.

    Args:
      positions: [N, d] the points.
      corner: [d] the lowest coordinates that the grid holds.
      influence: of the grid.
      nodes: G along each axis.
      mesh: how fine they lie.

    Returns:
      [G, ..., G] to be read off by `read`.
    """
    return convolve(spread(touch(positions, corner, mesh=mesh), nodes=nodes), influence)


def read(
    positions: jax.Array, corner: jax.Array, potential: jax.Array, *, mesh: Mesh
) -> tuple[jax.Array, jax.Array]:
    """Reads a potential off a grid.

    Args:
      positions: [M, d] any points that the grid holds.
      corner: [d] the lowest coordinates that it holds.
      potential: [G, ..., G] of `potential`.
      mesh: how fine the nodes lie.

    Returns:
      value: [M] sum over j of 1 / (1 + |y - y_j|^2).
      gradient: [M, d] of the value.
    """
    return read_touched(touch(positions, corner, mesh=mesh), potential, mesh=mesh)


class Splines(NamedTuple):
    """How points touch a grid.

    Attributes:
      first: [N] int32 for each axis, the first node touched.
      weights: for each axis, [N] for each node touched; they sum to 1.
      slopes: their derivatives, per node.
    """

    first: list[jax.Array]
    weights: list[list[jax.Array]]
    slopes: list[list[jax.Array]]


def touch(positions: jax.Array, corner: jax.Array, *, mesh: Mesh) -> Splines:
    """Finds how points, [N, d], touch a grid whose lowest coordinates are `corner`, [d]."""
    parts = []
    for axis in range(positions.shape[1]):
        # Half a node from the edge, so that rounding puts no point outside.
        place = (positions[:, axis] - corner[axis]) * mesh.per_unit + 0.5
        below = jnp.floor(place)
        beyond = place - below  # in [0, 1)
        # The offset of the splines doesn't matter: potentials are read with the same one.
        first = below.astype(jnp.int32)
        values = [jnp.ones_like(beyond)]
        for order in range(2, mesh.order + 1):
            lower = [jnp.float32(0), *values, jnp.float32(0)]
            slopes = [lower[m + 1] - lower[m] for m in range(order)]
            # Cox and de Boor's recurrence: m counts back from the last node touched.
            values = [
                ((beyond + m) * lower[m + 1] + (order - m - beyond) * lower[m]) / (order - 1)
                for m in range(order)
            ]
        parts.append((first, values[::-1], slopes[::-1]))
    return Splines(*map(list, zip(*parts, strict=True)))


def spread(splines: Splines, *, nodes: int) -> jax.Array:
    """Adds the weights of all points up at the nodes, [G, ..., G]."""
    dim = len(splines.first)
    weights = [jnp.stack(parts, axis=1) for parts in splines.weights]  # [N, order]
    windows = functools.reduce(
        lambda a, b: a[..., None] * jnp.expand_dims(b, tuple(range(1, a.ndim))), weights
    )
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(1, dim + 1)),
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=tuple(range(dim)),
    )
    return jax.lax.scatter_add(
        jnp.zeros((nodes,) * dim),
        jnp.stack(splines.first, axis=1),
        windows,
        numbers,
        mode="promise_in_bounds",
    )


def convolve(charges: jax.Array, influence: jax.Array) -> jax.Array:
    """Returns the potential, [G, ..., G]."""
    nodes, dim = charges.shape[0], charges.ndim
    waves = _waves(charges, 2 * nodes) * influence
    for axis in range(dim - 1):
        waves = _by_lines(lambda lines: jnp.fft.ifft(lines)[:, :nodes], waves)
        waves = jnp.moveaxis(waves, -1, axis)
    return _by_lines(lambda lines: jnp.fft.irfft(lines, 2 * nodes)[:, :nodes], waves)


def _waves(array: jax.Array, size: int) -> jax.Array:
    """Transforms [G, ..., G], padded to `size`, axis by axis: [size / 2 + 1, size, ..., size].

    The axes come out in reverse order. Padding along an axis is added only when its turn comes.
    """
    waves = _by_lines(lambda lines: jnp.fft.rfft(lines, size), array)
    for axis in reversed(range(array.ndim - 1)):
        waves = _by_lines(lambda lines: jnp.fft.fft(lines, size), jnp.moveaxis(waves, axis, -1))
    return waves


def _by_lines(transform: Callable[[jax.Array], jax.Array], array: jax.Array) -> jax.Array:
    """Transforms the last axis.

    On CPU, lines are divided among the threads that happen to be free, and a share's remainder that
    doesn't fill a vector register is transformed by other code, which rounds differently. With a
    number of lines that fills the registers of all threads, the bits don't depend on that.
    """
    lines = array.reshape(-1, array.shape[-1])
    count = len(lines)
    spare = -count % _LINES if count > 1 else 0
    result = transform(jnp.pad(lines, ((0, spare), (0, 0))))[:count]
    return result.reshape(*array.shape[:-1], -1)


def read_touched(
    splines: Splines, potential: jax.Array, *, mesh: Mesh
) -> tuple[jax.Array, jax.Array]:
    """Returns [N] potential and [N, d] gradient at the points."""
    dim = len(splines.first)
    strides = [potential.shape[0] ** (dim - 1 - axis) for axis in range(dim)]
    base = sum(first * stride for first, stride in zip(splines.first, strides, strict=True))
    flat = potential.reshape(-1)

    def along(axis: int, offset: int) -> list[jax.Array]:
        """Sums over the nodes of this axis and the next: the value, then each axis's slope."""
        if axis == dim:
            return [flat.at[base + offset].get(mode="promise_in_bounds")]
        total: list[jax.Array] = []
        for m, (weight, slope) in enumerate(
            zip(splines.weights[axis], splines.slopes[axis], strict=True)
        ):
            value, *rest = along(axis + 1, offset + m * strides[axis])
            terms = [weight * value, slope * value, *(weight * part for part in rest)]
            total = [a + b for a, b in zip(total, terms, strict=True)] if total else terms
        return total

    value, *slopes = along(0, 0)
    return value, jnp.stack(slopes, axis=1) * mesh.per_unit


def _over_axes(
    parts: Sequence[jax.Array], combine: Callable[[jax.Array, jax.Array], jax.Array]
) -> jax.Array:
    """Combines one array for each axis to one over all of them."""
    return functools.reduce(
        lambda a, b: combine(a[..., None], jnp.expand_dims(b, tuple(range(a.ndim)))), parts
    )
