"""Orders of the sites: placed, changed and cancelled by their people."""
