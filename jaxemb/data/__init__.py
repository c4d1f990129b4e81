"""Text, events and test sets: files to checked NumPy arrays, on the host."""

from jaxemb.data.edges import Graph, from_edges, read_edges
from jaxemb.data.events import Events, from_events, read_events
from jaxemb.data.text import Text, from_texts, from_tokens, open_text

__all__ = [
    "Events",
    "Graph",
    "Text",
    "from_edges",
    "from_events",
    "from_texts",
    "from_tokens",
    "open_text",
    "read_edges",
    "read_events",
]
