"""Electronic signatures: our own authority, personal keys, PAdES, and verification."""
