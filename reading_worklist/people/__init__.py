"""People of a consortium, as their administrator keeps them: roles with dates, locks, proofs."""
