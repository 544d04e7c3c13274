"""Tests of the ECG as it is kept."""
