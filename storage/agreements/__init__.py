"""Agreements: which service one organisation gives another, and from when to when."""
