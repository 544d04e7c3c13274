"""Agreements between organisations, and links between their patients, for who decides them."""
