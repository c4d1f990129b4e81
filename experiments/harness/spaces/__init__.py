"""What the scripts on shared spaces share."""
