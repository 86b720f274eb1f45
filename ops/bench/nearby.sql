-- So many open polls in Seoul. Of ten polls four have a circle of their own, one a polygon, two are
-- held in a gu or a legal dong, three at one or two sites. Half of them are where people are, around
-- the sites; the others anywhere in the city.

INSERT INTO site (id, name, address, lat, lon, radius_m, created_at, updated_at, version)
SELECT gen_random_uuid(), '{"ko": "주민센터"}', '{"ko": "서울"}',
    37.45 + random() * 0.22, 126.80 + random() * 0.36, 50, now(), now(), 1
FROM generate_series(1, 600) WHERE NOT EXISTS (SELECT 1 FROM site);

CREATE TEMPORARY TABLE made AS
SELECT gen_random_uuid() AS id, mod(n, 10) AS kind, n AS place, 100 + random() * 1900 AS radius_m,
    CASE WHEN mod(n / 10, 2) = 0 THEN s.lat + (random() + random() + random() - 1.5) * 0.01
        ELSE 37.45 + random() * 0.22 END AS lat,
    CASE WHEN mod(n / 10, 2) = 0 THEN s.lon + (random() + random() + random() - 1.5) * 0.01
        ELSE 126.80 + random() * 0.36 END AS lon
FROM generate_series(1, %(polls)s) AS n
JOIN (SELECT row_number() OVER () AS place, lat, lon FROM site) s ON s.place = 1 + mod(n, 600);

INSERT INTO poll (id, author_id, department_id, origin, state, content, opens_at, closes_at,
    version, created_at, frozen_at)
SELECT id, gen_random_uuid(), gen_random_uuid(), 'government', 'open', %(content)s,
    now() - interval '1 hour', now() + interval '30 days', 1, now(), now() FROM made;

INSERT INTO poll_definition (poll_id, canonical, hash)
SELECT id, bytes, sha256(bytes) FROM made, convert_to(%(content)s || id::text, 'UTF8') AS bytes;

INSERT INTO geofence (poll_id, kind, lat, lon, radius_m)
SELECT id, 'circle', lat, lon, radius_m FROM made WHERE kind < 4;

INSERT INTO geofence (poll_id, kind, shape)
SELECT id, 'polygon', ST_Multi(geometry(ST_Buffer(
    geography(ST_SetSRID(ST_MakePoint(lon, lat), 4326)), radius_m, 'quad_segs=4')))
FROM made WHERE kind = 4;

INSERT INTO geofence (poll_id, kind, area_id)
SELECT made.id, 'area', a.id FROM made
JOIN (SELECT id, row_number() OVER (ORDER BY area_code) - 1 AS place, count(*) OVER () AS areas
    FROM area WHERE kind IN ('gu', 'legal_dong')) a ON a.place = mod(made.place * 7, a.areas)
WHERE made.kind IN (5, 6);

INSERT INTO poll_place (poll_id, place_id, near, area_id, live, live_until)
SELECT poll_id, poll_id,
    CASE geofence.kind WHEN 'circle' THEN ST_Buffer(center, geofence.radius_m * 1.01)
        WHEN 'polygon' THEN geography(ST_Buffer(ST_ConvexHull(shape), 0.0005, 'quad_segs=1')) END,
    area_id, true, now() + interval '30 days'
FROM geofence JOIN made ON made.id = poll_id;

INSERT INTO poll_place (poll_id, place_id, site_id, live, live_until)
SELECT made.id, s.id, s.id, true, now() + interval '30 days' FROM made
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM site) s
    ON s.place IN (mod(made.place, 600), mod(made.place * 7, 600))
WHERE made.kind > 6;

UPDATE area SET in_use = true WHERE NOT in_use AND id IN (SELECT area_id FROM poll_place);
UPDATE site SET in_use = true WHERE NOT in_use AND id IN (SELECT site_id FROM poll_place);
DROP TABLE made;
