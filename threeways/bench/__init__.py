"""What training costs: time and memory, and other libraries to compare it with."""
