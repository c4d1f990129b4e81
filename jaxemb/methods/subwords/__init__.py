"""Vectors of words and of their character n-grams."""
