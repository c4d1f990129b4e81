"""Multidimensional scaling."""
