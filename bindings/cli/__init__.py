"""The command `wikiswarm`.

Each command is a thin view on a public function of the packages below; what they import is
imported when a command runs, so that `--help` is quick.
"""

from bindings.cli.app import app, main

__all__ = ["app", "main"]
