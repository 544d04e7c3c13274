"""The report: draft, submission with the first signature, signed version with the second, and the printed document."""
