"""Doors into wikiswarm for other processes and languages: today, the command line."""

__all__: list[str] = []
