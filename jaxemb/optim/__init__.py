"""Optax transforms for the touched rows of large tables."""
