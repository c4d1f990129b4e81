import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.bpr import bpr_loss

RNG = np.random.default_rng(1)
USER, ITEM, OTHER = (RNG.normal(size=(5, 3)).astype(np.float32) for _ in range(3))


def test_it_is_the_equation_of_the_paper():
    expected = []
    for user, item, other in zip(USER, ITEM, OTHER, strict=True):
        ahead = sum(
            float(u) * (float(i) - float(j)) for u, i, j in zip(user, item, other, strict=True)
        )
        expected.append(-np.log(1 / (1 + np.exp(-ahead))))
    np.testing.assert_allclose(bpr_loss(USER, ITEM, OTHER), expected, rtol=1e-5)


def test_the_gradient_is_that_of_the_paper():
    found = jax.grad(lambda user: bpr_loss(user, ITEM, OTHER).sum())(jnp.asarray(USER))
    ahead = np.sum(USER.astype(float) * (ITEM - OTHER), axis=1)
    expected = -(np.exp(-ahead) / (1 + np.exp(-ahead)))[:, None] * (ITEM - OTHER)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_what_is_masked_has_no_loss_and_no_gradient():
    where = jnp.array([True, False, True, True, False])
    losses, gradient = jax.vmap(
        jax.value_and_grad(
            lambda user, item, other, keep: bpr_loss(
                user[None], item[None], other[None], where=keep[None]
            )[0]
        )
    )(USER, ITEM, OTHER, where)
    np.testing.assert_allclose(losses[where], bpr_loss(USER, ITEM, OTHER)[where], rtol=1e-6)
    assert not losses[~where].any()
    assert not gradient[~where].any()


def test_huge_and_zero_vectors_stay_finite():
    for scale in (0.0, 1e18):
        given = [jnp.asarray(side * scale) for side in (USER, ITEM, OTHER)]
        loss, gradients = jax.value_and_grad(lambda g: bpr_loss(*g).sum())(given)
        assert jnp.isfinite(loss)
        assert all(jnp.isfinite(one).all() for one in gradients)
