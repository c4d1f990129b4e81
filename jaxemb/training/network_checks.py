"""Checks of a network and of what it is given, before the first step."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax.errors import FlaxError

from jaxemb.errors import InputError

# Examples looked at at a time.
_AT_A_TIME = 4096


@contextlib.contextmanager
def taking(network: nn.Module, inputs: Any) -> Iterator[None]:
    """Says which inputs a network cannot take, where Flax and JAX tell of axes and kernels.

    Args:
      network: the Flax module.
      inputs: arrays [B, ...], or their shapes.

    Raises:
      InputError: naming shape and network.
    """
    try:
        yield
    except (FlaxError, AssertionError, IndexError, TypeError, ValueError) as error:
        shapes = ", ".join(str(list(np.shape(leaf)[1:])) for leaf in jax.tree.leaves(inputs))
        why = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{type(network).__name__} cannot take inputs of shape {shapes} each: {why:.200}"
        ) from error


def output_of(network: nn.Module, variables: Any, inputs: Any) -> jax.ShapeDtypeStruct:
    """Returns shape and type of what a network makes of inputs, without computing it.

    Args:
      network: the Flax module.
      variables: its parameters.
      inputs: arrays [B, ...], or their shapes.

    Raises:
      InputError: if it cannot take them.
    """
    with taking(network, inputs):
        return jax.eval_shape(network.apply, variables, inputs)


def check_encoder(network: Any) -> None:
    """Refuses what is no Flax module.

    Raises:
      InputError: naming what was found.
    """
    if not isinstance(network, nn.Module):
        found = network.__name__ + " itself" if isinstance(network, type) else repr(network)
        raise InputError(
            f"encoder must be a Flax module, such as jaxemb.models.encoders.MlpEncoder(16), found "
            f"{found:.80}"
        )


def as_inputs(inputs: Any, *, name: str = "inputs") -> Any:
    """Returns what a network is given as arrays on the host, of kinds that it computes with.

    Args:
      inputs: [N, ...] real: lists, arrays of NumPy and JAX, data frames; or a tree of these. Floats
        become float32, and truth values, too; whole numbers stay, which may be ids. What picks its
        rows when it is asked for them, without an array of all, stays as it is.
      name: what to call them.

    Returns:
      The same, of NumPy arrays.

    Raises:
      InputError: naming the kind, the first place that is not finite, or that examples differ in
        shape.
    """

    def one(leaf: Any) -> Any:
        if not isinstance(leaf, (list, np.ndarray, jax.Array)) and not hasattr(leaf, "to_numpy"):
            return leaf
        try:
            array = np.asarray(leaf)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{name} must be examples of one shape, such as pictures of one size: {error}"
            ) from error
        if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
            raise InputError(f"{name} must be arrays of real numbers, found {array.dtype}")
        if array.dtype.kind in "iu":
            return array
        _check_finite(array, name)
        return array.astype(np.float32, copy=False)

    return jax.tree.map(one, inputs, is_leaf=lambda node: isinstance(node, list))


def _check_finite(array: np.ndarray, name: str) -> None:
    """Refuses numbers that are not finite in float32, a part at a time."""
    if array.dtype.kind == "b" or not array.size:
        return
    limit = np.finfo(np.float32).max
    for start in range(0, len(array), _AT_A_TIME):
        bad = np.argwhere(~(np.abs(array[start : start + _AT_A_TIME]) <= limit))
        if len(bad):
            place = (int(bad[0][0]) + start, *map(int, bad[0][1:]))
            raise InputError(
                f"{name} must be finite, found {array[place]} at {list(place)}; drop that example, "
                "or fill the gap first"
            )


def validation_pair(validation: Any) -> tuple[Any, Any]:
    """Returns inputs and labels to judge by.

    Raises:
      InputError: if they are no pair.
    """
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise InputError(
            f"validation must be a pair (inputs, labels), found {type(validation).__name__}"
        )
    return validation[0], validation[1]
