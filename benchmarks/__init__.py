"""Measurements of what the core costs, each a program of its own. Not part of the packages."""
