"""Runnable scripts, one per row of the README table."""
