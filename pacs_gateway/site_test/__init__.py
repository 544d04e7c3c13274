"""Trying out a site's connection, from its devices' calls to its receivers' answers."""
