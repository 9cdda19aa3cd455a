"""Stands in for a teacher: looks the answers up, so that the example runs without a key."""

from pathlib import Path

from finetune.lookup import Lookup

__all__ = ["answer"]

answer = Lookup.read(Path(__file__).with_name("handbook.yaml"))
