"""Whose study is it: what the header says against what was ordered, and what people decided."""
