"""Closed forms: factors of a matrix without gradient descent."""
