"""Reports on their way back: what people see of them, and what they may decide."""
