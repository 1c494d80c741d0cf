"""Benchmarks of time and memory. Most measure the product and a baseline in the same run."""
