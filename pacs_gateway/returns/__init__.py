"""Bringing results back to the site that sent the study."""

from pacs_gateway.returns.engine import create_deliveries, due, serve

__all__ = ["create_deliveries", "due", "serve"]
