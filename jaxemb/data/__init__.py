"""Text, vocabularies and test sets: files to checked NumPy arrays, on the host."""

from jaxemb.data.text import Text, from_texts, from_tokens, open_text

__all__ = ["Text", "from_texts", "from_tokens", "open_text"]
