-- A committee that reviews, its members, and so many proposals that nobody has been given yet.

INSERT INTO committee (id, cycle_id, name, kind, headings, area_codes, starts_on, ends_on,
    age_bands, created_by, created_at)
SELECT gen_random_uuid(), %(cycle_id)s, '{"ko": "분과"}', 'subcommittee', '{}', '{}',
    current_date - 30, current_date + 300, '[]', gen_random_uuid(), now();

INSERT INTO seat (id, committee_id, number, kind, has_vote, is_chair, citizen_id, pseudonym, state,
    starts_on, ends_on, filled_at)
SELECT gen_random_uuid(), committee.id, n, 'citizen', true, false, citizen_id, citizen_id::text,
    'filled', starts_on, ends_on, now()
FROM committee, unnest(%(citizens)s::uuid[]) WITH ORDINALITY AS member (citizen_id, n);

CREATE TEMPORARY TABLE made AS
SELECT gen_random_uuid() AS id, n FROM generate_series(1, %(proposals)s) AS n;

INSERT INTO proposal (id, cycle_id, reference, number, state, revision, version, created_at,
    submitted_at, state_since)
SELECT id, %(cycle_id)s, '2026-' || n, n, 'under_review', 1, 1, now(), now(), now() FROM made;

INSERT INTO proposal_revision (proposal_id, n, content, heading, kind, amount, created_at,
    submitted_at)
SELECT id, 1, %(content)s::jsonb, 'f' || 1 + mod(n, 8), 'works', 6000000, now(), now() FROM made;
DROP TABLE made;
