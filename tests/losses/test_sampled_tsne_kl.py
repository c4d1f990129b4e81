import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import sampled_tsne_kl as losses

# Operation by operation, each would be compiled.
sampled_tsne_kl = jax.jit(losses.sampled_tsne_kl, static_argnames="points")


def test_formula():
    rng = np.random.default_rng(0)
    center, neighbor = rng.normal(size=(2, 7, 3))
    attraction, kernels = 0.0, 0.0
    for i in range(7):
        attraction += np.log(1 + ((center[i] - neighbor[i]) ** 2).sum()) / 7
        for j in range(7):
            if i != j:
                kernels += 1 / (1 + ((center[i] - center[j]) ** 2).sum())
    expected = attraction + np.log(kernels / 42 * 100 * 99)
    found = sampled_tsne_kl(jnp.asarray(center), jnp.asarray(neighbor), points=100)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_all_points_and_pairs_give_the_divergence():
    # Each center once and each neighbor as often as p_{j|i} says: nothing is left to chance, so
    # the estimate is the divergence itself, less its constant.
    rng = np.random.default_rng(1)
    size, draws = 6, 4
    places = rng.normal(size=(size, 2))
    chosen = np.array(
        [rng.permutation([j for j in range(size) if j != i])[:draws] for i in range(size)]
    )
    conditional = np.zeros((size, size))
    for i, j in itertools.product(range(size), range(draws)):
        conditional[i, chosen[i, j]] += 1 / draws
    joint = (conditional + conditional.T) / (2 * size)
    kernel = 1 / (1 + ((places[:, None] - places[None]) ** 2).sum(2))
    np.fill_diagonal(kernel, 0)
    seen = joint > 0
    expected = -(joint[seen] * np.log(kernel[seen] / kernel.sum())).sum()
    found = np.mean(
        [
            sampled_tsne_kl(jnp.asarray(places), jnp.asarray(places[chosen[:, j]]), points=size)
            for j in range(draws)
        ]
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_batches_tend_to_the_whole():
    # Means over all subsets of each size: the error of the logarithm falls as they grow.
    rng = np.random.default_rng(2)
    places = jnp.asarray(rng.normal(size=(8, 2)) * 2)
    whole = float(sampled_tsne_kl(places, places, points=8))
    errors = []
    for batch in (2, 4, 6):
        subsets = jnp.array(list(itertools.combinations(range(8), batch)))
        estimates = jax.vmap(lambda ids: sampled_tsne_kl(places[ids], places[ids], points=8))(
            subsets
        )
        errors.append(whole - float(estimates.mean()))
    assert errors[0] > errors[1] > errors[2] > 0
    assert errors[2] < 0.05


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e18])
def test_gradient_is_finite_for_equal_and_far_points(scale):
    center = scale * jnp.array([[1.0, 2.0], [3.0, -1.0], [-2.0, 0.5]])
    value, gradient = jax.value_and_grad(sampled_tsne_kl)(center, center[::-1], points=3)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        sampled_tsne_kl(jnp.ones((4, 2)), jnp.ones((4, 3)), points=9)
    with pytest.raises(AssertionError):
        sampled_tsne_kl(jnp.ones((1, 2)), jnp.ones((1, 2)), points=9)
