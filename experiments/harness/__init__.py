"""What every script shares: command line, run folder, tables."""
