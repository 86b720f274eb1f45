"""Every module of this package that declares tables, so that `Base.metadata` is complete."""

from geo import areas, geofence, nearby, proposals, sites

__all__ = ["areas", "geofence", "nearby", "proposals", "sites"]
