"""`python -m tests.sweep`: no text makes a regular expression or the conversion take more than linear time."""
