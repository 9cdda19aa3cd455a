"""Documents of a wiki: read, cut into passages, indexed, searched, and quoted to a model.

It knows nothing of agents; `wiki.ask` puts its passages into answers. It asks no model itself.
"""

from wiki.documents.embedding import Embedding, open_embedding
from wiki.documents.ground import cited_answer, grounded_question, list_sources, quote_passages
from wiki.documents.index import DocumentIndex, Hit, IndexReport
from wiki.documents.service import Retrieved, index_documents, retrieve
from wiki.documents.sources import Skipped

__all__ = [
    "DocumentIndex",
    "Embedding",
    "Hit",
    "IndexReport",
    "Retrieved",
    "Skipped",
    "cited_answer",
    "grounded_question",
    "index_documents",
    "list_sources",
    "open_embedding",
    "quote_passages",
    "retrieve",
]
