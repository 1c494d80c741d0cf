"""Benchmarks: what the product costs in time and memory, side by side with a baseline in one run."""
