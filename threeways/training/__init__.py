"""Training a case in all implementations side by side: planned, saved, resumed and compared."""
