"""Telling people that a report is ready, by e-mail or short message.

Delivered means that the server took the notice. It is no proof that anybody has read it, let alone
the report: that is known when the report is opened.
"""

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Channel, Target
from pacs_gateway.returns.notice_email import EmailChannel
from pacs_gateway.returns.notice_sms import SmsChannel
from storage.registry.destination_settings import NoticeSettings


def open_channel(target: Target, config: ReturnsConfig) -> Channel:
    """Return a channel to people; it connects at its first parcel."""
    assert isinstance(target.settings, NoticeSettings)
    if target.settings.way == "email":
        return EmailChannel(target.id, target.settings, config)
    return SmsChannel(target.id, target.settings, config)
