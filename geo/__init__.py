"""Everything spatial: areas, sites, geofences, GeoJSON. The only place with ST_… and geometry."""
