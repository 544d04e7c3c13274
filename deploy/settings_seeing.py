"""Settings of what shows the system at work to others.

They are read with all others by `deploy.settings`.
"""

from pydantic import Field
from pydantic_settings import BaseSettings


class SeeingSettings(BaseSettings):
    """The part of the settings that says where traces go."""

    otlp_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="OpenTelemetry collector that gets a trace of each study's walk, OTLP over"
        " HTTP, such as http://collector:4318; unset: no traces",
    )
