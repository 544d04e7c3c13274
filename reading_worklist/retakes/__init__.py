"""Exams that a site has to make again, since nobody can read what it sent."""
