"""Moderation: what people report, what is held back for it, and what an officer then decides.

`case` has the states. `reporting` counts a report and holds a poll back, `queue` is what officers
see, `deciding` is their answer; a hold that nobody looks at ends (`expiring`), and who reported is
forgotten (`forgetting`).
"""
