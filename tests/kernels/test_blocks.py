import jax.numpy as jnp
import numpy as np

from jaxemb.kernels.blocks import cut_blocks


def test_blocks_overlap_by_the_margins():
    words = jnp.arange(10, 20)[None]  # 6 centers and 2 words on either side
    found = cut_blocks(words, margin=2, block=3)
    expected = [10, 11, 12, 13, 14, 15, 16, 13, 14, 15, 16, 17, 18, 19]
    np.testing.assert_array_equal(found, [expected])
    np.testing.assert_array_equal(cut_blocks(words, margin=2, block=6), words)
