"""What must hold when things go wrong: `make torture`. No part of the application."""
