"""Tests of the ECG: reading, drawing, handing out."""
