"""Preliminary reports that wait for their final review."""
