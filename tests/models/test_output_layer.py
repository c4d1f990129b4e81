import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.models import output_layer


def test_logits():
    rng = np.random.default_rng(0)
    vectors, kernel, bias = (rng.normal(size=shape) for shape in ((4, 5), (5, 3), 3))
    expected = [[7 * sum(v * kernel[:, c]) + bias[c] for c in range(3)] for v in vectors]
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    found = output_layer.logits(params, jnp.asarray(vectors), scale=7)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_no_class_is_likelier_at_first():
    params = output_layer.init(dim=5, classes=3)
    vectors = jax.random.normal(jax.random.key(0), (4, 5))
    np.testing.assert_array_equal(
        output_layer.logits(params, vectors, scale=16.0), np.zeros((4, 3))
    )
