"""Working time: statutory holidays, 调休 working days, a consortium's own entries, and hours."""
