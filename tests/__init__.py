"""One file for each body of rules; a test's name states a rule."""
