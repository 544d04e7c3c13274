"""Asking an expert for his opinion on one case."""
