"""One module per kind of work; each has `ROWS`, a tuple of rows. All modules here are found."""
