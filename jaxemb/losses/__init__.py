"""Objectives: arrays to losses, one objective per file."""
