"""Storage commitment (PS3.4 J): deciding what we vouch for, and telling it until it is heard."""
