"""What the scripts on maps share."""
