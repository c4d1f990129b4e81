"""What scripts on spaces that two kinds of things share have in common."""
