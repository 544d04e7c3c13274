"""Tokens of the sites' machines, for who looks after them."""
