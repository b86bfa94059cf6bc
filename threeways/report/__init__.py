"""The tables, progress bars and explanations that the commands print."""
