"""ECGs that cannot wait: whose they are, when what happened, and how often it was in time.

Nothing here is entered twice. Every moment is taken from where it was recorded when it happened,
with the clock that it was read from.
"""
