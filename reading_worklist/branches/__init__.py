"""Branches (分院区) and village clinics of a site, kept on a page."""
