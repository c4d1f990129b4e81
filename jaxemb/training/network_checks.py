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


def check_numbers(inputs: Any) -> None:
    """Refuses inputs that are no numbers, or not finite.

    Args:
      inputs: [N, ...], or a tree of such arrays; what is no NumPy array is not looked at.

    Raises:
      InputError: naming the first bad place.
    """
    for leaf in jax.tree.leaves(inputs):
        if not isinstance(leaf, np.ndarray):
            continue
        if leaf.dtype.kind not in "biuf" and leaf.dtype.name != "bfloat16":
            raise InputError(f"inputs must be arrays of real numbers, found {leaf.dtype}")
        if leaf.dtype.kind == "f":
            for start in range(0, len(leaf), _AT_A_TIME):
                bad = np.argwhere(~np.isfinite(leaf[start : start + _AT_A_TIME]))
                if len(bad):
                    place = (int(bad[0][0]) + start, *map(int, bad[0][1:]))
                    raise InputError(
                        f"inputs must be finite, found {leaf[place]} at {list(place)}; drop that "
                        "example, or fill the gap first"
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
