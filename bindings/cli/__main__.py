"""`python -m bindings.cli`, the same as `wikiswarm`."""

from bindings.cli.app import main

main()
