"""Vectors made ready, maps of partners, and their settings by held-out pairs."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.evaluation.translation import precision_at_one, retrieve
from jaxemb.factorize.canonical import canonical, weighted
from jaxemb.factorize.procrustes import orthogonal
from jaxemb.factorize.ridge import ridge
from jaxemb.losses.distances import unit
from jaxemb.methods.alignment.options import Options
from jaxemb.progress import phase

# Fewer pairs are learned from as they are, none held out.
_FEWEST = 50
# Ridge and power of maps of pairs some of which are wrong, where none are asked for.
_ROUGH = 1.0, 0.5


def normalized(
    vectors: np.ndarray, steps: Sequence[str], means: Sequence[np.ndarray] | None = None
) -> tuple[jax.Array, tuple[np.ndarray, ...]]:
    """Returns normalized vectors [V, D], and the means that were subtracted, or are to be."""
    table = jnp.asarray(vectors, jnp.float32)
    used: list[np.ndarray] = []
    for step in steps:
        if step == "unit":
            table = unit(table)
        else:
            mean = table.mean(axis=0) if means is None else jnp.asarray(means[len(used)])
            used.append(np.asarray(mean))
            table = table - mean[None, :]
    return table, tuple(used)


def maps_of(
    x: jax.Array, z: jax.Array, how: str, strength: float, power: float
) -> tuple[jax.Array, jax.Array]:
    """Returns the maps of both sides, of partners x [P, D] and z [P, E]."""
    if how == "canonical":
        return weighted(canonical(x, z, ridge=strength), power)
    same = jnp.eye(z.shape[1], dtype=z.dtype)
    return (orthogonal(x, z) if how == "procrustes" else ridge(x, z, penalty=strength)), same


def rough(options: Options) -> tuple[float, float]:
    """Returns ridge and power where no pairs are given: those held out could be wrong."""
    strength = _ROUGH[0] if options.ridge is None else options.ridge
    power = _ROUGH[1] if options.power is None else options.power
    return strength * (options.map != "procrustes"), power * (options.map == "canonical")


def choose(
    x: jax.Array, z: jax.Array, rows: np.ndarray, options: Options
) -> tuple[float, float, float]:
    """Returns ridge and power, and the share of held-out pairs that they find again."""
    canonical_map = options.map == "canonical"
    strengths = options.ridges if options.ridge is None else (options.ridge,)
    powers = options.powers if options.power is None else (options.power,)
    if options.map == "procrustes":
        strengths = (0.0,)
    if not canonical_map:
        powers = (0.0,)
    words = np.unique(rows[:, 0])
    if len(words) < max(_FEWEST, options.folds):
        # The middle of each, where nothing can be held out.
        return strengths[len(strengths) // 2], powers[len(powers) // 2], float("nan")
    # Dictionaries are sorted by frequency: every fold has words of all kinds.
    fold = np.searchsorted(words, rows[:, 0]) % options.folds
    # Not all words, of which there may be a million, and a hundred maps to look them up in.
    there = np.union1d(np.arange(min(options.candidates, len(z))), rows[:, 1])
    candidates, frequent = z[there], x[: options.frequent]
    shares: dict[tuple[float, float], list[float]] = {}
    with phase("choosing the map by held-out pairs"):
        for part in range(options.folds):
            kept, out = rows[fold != part], rows[fold == part]
            asked, place = np.unique(out[:, 0], return_inverse=True)
            right: list[set[int]] = [set() for _ in asked]
            answers = np.searchsorted(there, out[:, 1])
            for at, answer in zip(place, answers.tolist(), strict=True):
                right[at].add(answer)
            for strength in strengths:
                found = None
                if canonical_map:
                    found = canonical(x[kept[:, 0]], z[kept[:, 1]], ridge=strength)
                for power in powers:
                    if found is not None:
                        maps = weighted(found, power)
                    else:
                        maps = maps_of(x[kept[:, 0]], z[kept[:, 1]], options.map, strength, power)
                    best = retrieve(
                        x[asked] @ maps[0],
                        candidates @ maps[1],
                        by=options.retrieval,
                        neighbors=options.neighbors,
                        temperature=options.temperature,
                        others=frequent @ maps[0],
                    )
                    share = precision_at_one(best.ids, right)
                    shares.setdefault((strength, power), []).append(share)
    means = {setting: float(np.mean(share)) for setting, share in shares.items()}
    strength, power = max(means, key=lambda setting: means[setting])
    return strength, power, means[strength, power]
