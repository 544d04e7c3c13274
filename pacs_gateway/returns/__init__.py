"""Bringing results back to the site that sent the study."""

from pacs_gateway.returns.engine import attempt, create_deliveries, due

__all__ = ["attempt", "create_deliveries", "due"]
