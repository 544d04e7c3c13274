"""What an auditor sees: who did what, when, for whom, from where; nothing clinical."""
