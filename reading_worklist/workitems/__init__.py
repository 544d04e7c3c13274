"""The reading worklist: imaging studies and ECGs in one queue, from received to delivered."""
