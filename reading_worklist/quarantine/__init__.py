"""What was received and not filed: compared with what is filed, and decided by a person."""
