"""Every common way of making an embedding, as pure JAX functions."""
