"""Pictures; the only modules that import plotting libraries."""
