"""Few-shot examples: good answers of a wiki, shown to its model with questions like theirs.

An answer becomes an example when somebody rated it 4 or 5 or corrected it, and never by itself.
They are kept in the journal's database, apart for each wiki and swarm. Training on them is
another matter; see `finetune`.
"""

from wiki.examples.guard import acceptable, clean
from wiki.examples.show import show_examples
from wiki.examples.store import Example, ExampleStore, forget_examples

__all__ = [
    "Example",
    "ExampleStore",
    "acceptable",
    "clean",
    "forget_examples",
    "show_examples",
]
