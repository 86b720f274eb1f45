"""The vote and the budget: the words, the rules, the use cases. No HTTP, no geometry, no image."""
