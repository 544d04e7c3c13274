"""What doctors begin a report with: templates with fields, and snippets behind a shortcut."""
