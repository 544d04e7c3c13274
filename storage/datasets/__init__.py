"""Encoded datasets (PS3.5): read by ranges, element by element, and written in another encoding."""
