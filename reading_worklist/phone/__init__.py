"""Whom to ring when a site does not answer, and what was said on the telephone."""
