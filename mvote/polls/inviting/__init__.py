"""Invitations by text message to those on an imported roll, sent by the worker at a set rate."""
