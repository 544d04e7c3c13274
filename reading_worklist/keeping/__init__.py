"""How long what was received is kept, what must not go, and how two people let the rest go."""
