"""Scores of embeddings; no printing, no plotting."""
