"""The cost of training: time and memory, and other libraries to compare it with."""
