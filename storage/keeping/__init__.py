"""Keeping what was received: proof that it is all there, and how much there is."""
