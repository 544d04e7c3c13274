"""Tests of the ECG: drawing, handing out."""
