"""The child process that somebody else's code runs in."""
