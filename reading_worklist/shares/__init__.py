"""Links by which a doctor outside sees one study and its report for some days, nothing else."""
