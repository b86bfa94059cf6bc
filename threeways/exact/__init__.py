"""The exact step, how far rounding may take a step from it, and the judge of the two."""
