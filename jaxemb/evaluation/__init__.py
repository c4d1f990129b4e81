"""Scores of embeddings; no printing, no plotting."""

from jaxemb.evaluation.gallery import Gallery

__all__ = ["Gallery"]
