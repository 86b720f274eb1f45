"""Scripts that set the project up and run it on one machine; no part of the application."""
