"""Measuring mvote on this machine: `make bench`. No part of the application."""
