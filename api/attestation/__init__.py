"""Platforms that vouch for phones: which are configured, and how Google is asked."""
