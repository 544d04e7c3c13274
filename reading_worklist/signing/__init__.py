"""Electronic signatures: the centre's own authority, personal credentials, PAdES and its verification."""
