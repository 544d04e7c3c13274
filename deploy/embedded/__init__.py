"""Servers that come out of Python wheels and run under our own supervision."""
