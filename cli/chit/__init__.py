"""chit, the command line. This file holds the version alone, so that `--version` costs nothing."""

__version__ = "0.1.0"
