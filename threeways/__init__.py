"""The same networks three ways, compared number by number."""
