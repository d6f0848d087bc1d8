"""Measures what a call costs its caller."""
