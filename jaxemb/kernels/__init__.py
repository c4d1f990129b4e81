"""The same gradients as `losses`, written for XLA; each is tested equal to its formula."""
