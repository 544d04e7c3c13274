"""Patients of several sites who are one person: people's decisions, and what speaks for one."""
