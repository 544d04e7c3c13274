"""Orders and the exams they ask for: what was requested, for whom, and how far it has come."""
