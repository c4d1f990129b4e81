"""Random keys to training examples."""
