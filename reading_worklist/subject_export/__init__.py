"""What is kept about one patient of one site, handed over as the law on personal data wants."""
