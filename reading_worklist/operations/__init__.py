"""What dispatchers and administrators see: deliveries on their way and what was quarantined."""
