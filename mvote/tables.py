"""Every module with tables, imported so that `Base.metadata` knows them all."""

import mvote.journal
import mvote.people.attributes
import mvote.people.challenges
import mvote.people.citizens
import mvote.people.limits
import mvote.people.sessions  # noqa: F401
