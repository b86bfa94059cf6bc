"""Whole trainings of the implementations, side by side."""
