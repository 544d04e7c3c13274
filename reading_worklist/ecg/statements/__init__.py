"""The statements of an ECG report, in both languages, and what cannot be said together."""
