"""What the scripts on words share."""
