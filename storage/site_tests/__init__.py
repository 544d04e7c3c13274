"""Trying out a site's connection: what is looked at, what was found, and what to do about it."""
