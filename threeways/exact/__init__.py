"""The exact step, the error bound of a computed step, and the judge that compares the two."""
