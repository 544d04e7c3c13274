"""Sign-in by the word of an identity provider (OpenID Connect Core 1.0)."""
