"""Findings that endanger the patient: told to the site at once, whatever the report is doing."""
