"""Scores the measurement against annotated databases: LUDB, QTDB and others in WFDB files."""
