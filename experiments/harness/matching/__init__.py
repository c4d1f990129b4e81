"""What the scripts on matching share."""
