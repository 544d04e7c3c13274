"""What stands between a report and its signature: pure functions over its text and its exam."""
