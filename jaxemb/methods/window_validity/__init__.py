"""Window validity."""
