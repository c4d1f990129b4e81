"""What scripts on users and items share."""
