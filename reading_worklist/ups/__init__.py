"""The worklist for other readers' software: Unified Procedure Steps over HTTP (PS3.18 §11)."""
