"""What training costs: times and memory, as ratios to other libraries."""
