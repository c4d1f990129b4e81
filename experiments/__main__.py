"""Lists all experiments: `python -m experiments`."""

import sys

from jaxemb.commands.main import main

if __name__ == "__main__":
    sys.exit(main(called="python -m experiments."))
