"""Senders of HL7 v2 messages and every message they sent, byte for byte."""
