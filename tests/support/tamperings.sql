-- Ways to change, as a superuser, what was shuffled, counted and signed; behind each, what shows it.
-- one poll of eight ballots, published, its entries 0 (definition), 1 to 8 (ballots), 9 (statement)

-- another tracker | log, bundle
UPDATE log_entry SET data = set_byte(data, 3, get_byte(data, 3) # 1) WHERE kind = 1 AND idx = 1;

-- another commitment | log, bundle
UPDATE log_entry SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE kind = 1 AND idx = 1;

-- a ballot exchanged with another | log, bundle
UPDATE log_entry a SET data = b.data FROM log_entry b
WHERE a.kind = 1 AND b.kind = 1 AND a.idx IN (2, 3) AND b.idx = 5 - a.idx;

-- the last ballot taken out | log, bundle
DELETE FROM log_entry WHERE kind = 1 AND idx = 8;

-- a ballot written twice | log, bundle
UPDATE log_entry a SET data = b.data FROM log_entry b
WHERE a.kind = 1 AND b.kind = 1 AND a.idx = 2 AND b.idx = 1;

-- a ballot added | log
INSERT INTO log_entry
SELECT poll_id, 10, 1, data FROM log_entry WHERE kind = 1 AND idx = 1;

-- a ballot turned into a notice | log, bundle
UPDATE log_entry SET kind = 3, data = substr(data, 1, 32) WHERE kind = 1 AND idx = 4;

-- another definition named | log, bundle
UPDATE log_entry SET data = sha256(data) WHERE kind = 0;

-- another statement named | log, bundle
UPDATE log_entry SET data = sha256(data) WHERE kind = 4;

-- another hash in the tree | tree
UPDATE tree_tile SET hashes = set_byte(hashes, 20, get_byte(hashes, 20) # 1)
WHERE poll_id IN (SELECT id FROM poll);

-- the tree taken away | tree
DELETE FROM tree_tile WHERE poll_id IN (SELECT id FROM poll);

-- another root | bundle
UPDATE checkpoint SET root = sha256(root) WHERE poll_id IN (SELECT id FROM poll);

-- the newest checkpoint taken away | log, bundle
DELETE FROM checkpoint WHERE size = 10 AND poll_id IN (SELECT id FROM poll);

-- a name in the city's log changed | city
UPDATE log_entry SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE kind = 5;

-- a name taken out of the city's log | city
DELETE FROM log_entry WHERE kind = 5;

-- a sealed ballot changed | sealed ballots
UPDATE box SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE idx = 1;

-- a sealed ballot exchanged with another | sealed ballots
UPDATE box a SET sealed = b.sealed FROM box b WHERE a.idx IN (2, 3) AND b.idx = 5 - a.idx;

-- a sealed ballot taken out | sealed ballots
DELETE FROM box WHERE idx = 2;

-- a record changed | bundle
UPDATE record SET vectors = set_byte(vectors, 5, get_byte(vectors, 5) # 1);

-- the records taken away | bundle
DELETE FROM record;

-- other totals in the statement | bundle
UPDATE result SET statement
    = convert_to(replace(convert_from(statement, 'UTF8'), '"yes":4', '"yes":8'), 'UTF8');

-- another question | bundle
UPDATE poll_definition SET (canonical, hash) = (
    SELECT other, sha256(other)
    FROM convert_to(replace(convert_from(canonical, 'UTF8'), 'yes', 'yet'), 'UTF8') AS other
);

-- a participation taken out | accounting
DELETE FROM participation WHERE voter_tag = (SELECT voter_tag FROM participation LIMIT 1);

-- a participation made up | accounting
INSERT INTO participation
SELECT poll_id, substr(sha256(voter_tag), 1, 16), key_tag, ballot_tag FROM participation LIMIT 1;

-- another manifest | bundle
UPDATE bundle SET manifest = manifest || ' ';
