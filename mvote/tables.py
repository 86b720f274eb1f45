"""Every module with tables, imported so that `Base.metadata` knows them all."""

import mvote.journal
import mvote.people.attributes
import mvote.people.citizens  # noqa: F401
