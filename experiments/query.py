"""Looks words up in a vectors file: the command `jaxemb query`, by its former name."""

import sys

from jaxemb.commands.query import Config, run

from .harness import command

__all__ = ["Config", "run"]

if __name__ == "__main__":
    sys.exit(command.main(Config, run, prog="python -m experiments.query"))
