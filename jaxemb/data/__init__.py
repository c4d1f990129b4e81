"""Text, vocabularies and test sets: files to checked NumPy arrays, on the host."""
