"""Every module of this package that declares tables, so that `Base.metadata` is complete."""

from geo import areas, geofence, nearby, sites

__all__ = ["areas", "geofence", "nearby", "sites"]
