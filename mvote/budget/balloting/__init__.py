"""Balloting: the contests of a cycle as frozen polls, cast through the one ballot box."""
