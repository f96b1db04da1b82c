-- organisation(id, name)
-- Another name for a customer.
UPDATE organisation SET name = $2 WHERE id = $1;

-- trunk(organisation_id, id, name, target_id)
-- A carrier's connection as it is from now on.
UPDATE trunk SET name = $3, target_id = $4 WHERE organisation_id = $1 AND id = $2;

-- target(organisation_id, id, name, kind, endpoint, e164, trunk_id, ring_seconds)
-- A company line as it is from now on.
UPDATE target SET name = $3, kind = $4, endpoint = $5, e164 = $6, trunk_id = $7, ring_seconds = $8
WHERE organisation_id = $1 AND id = $2;

-- site(id, organisation_id, name, origins, region, time_zone, default_number, page_numbers, target_id)
-- A web property as it is from now on; its key stands in its pages and stays.
UPDATE site
SET name = $3, origins = $4, region = $5, time_zone = $6, default_number = $7, page_numbers = $8, target_id = $9
WHERE id = $1 AND organisation_id = $2;

-- pool(id, organisation_id, name, policy, priority, reservation_seconds, rules, default_number, target_id, record, source, medium, campaign, closed_seconds, left_seconds, idle_seconds, bounce_seconds, tapped_seconds, price, goal, aim, binding, grows, channel, region)
-- A pool as it is from now on; its kind and its site stay.
UPDATE pool
SET name = $3, policy = $4, priority = $5, reservation_seconds = $6, rules = $7, default_number = $8,
    target_id = $9, record = $10, source = $11, medium = $12, campaign = $13, closed_seconds = $14,
    left_seconds = $15, idle_seconds = $16, bounce_seconds = $17, tapped_seconds = $18, price = $19,
    goal = $20, aim = $21, binding = $22, grows = $23, channel = $24, region = $25
WHERE id = $1 AND organisation_id = $2;

-- number(organisation_id, e164)
-- A number in use.
SELECT id, trunk_id, target_id, record FROM number
WHERE organisation_id = $1 AND e164 = $2 AND withdrawn_at IS NULL;

-- put_number(organisation_id, id, trunk_id, target_id, record)
-- Where a number's calls come from and go to from now on.
UPDATE number SET trunk_id = $3, target_id = $4, record = $5, version = version + 1
WHERE organisation_id = $1 AND id = $2;

-- trunk_held(organisation_id, id)
-- What needs a carrier's connection.
SELECT 'target(s)' AS what, count(*) AS n, min(name) AS example FROM target
WHERE organisation_id = $1 AND trunk_id = $2
UNION ALL
SELECT 'number(s)', count(*), min(e164) FROM number WHERE organisation_id = $1 AND trunk_id = $2;

-- target_held(organisation_id, id)
-- What needs a company line. Of calls one is enough: history is kept, and it stays then.
SELECT 'trunk(s)' AS what, count(*) AS n, min(name) AS example FROM trunk
WHERE organisation_id = $1 AND target_id = $2
UNION ALL
SELECT 'site(s)', count(*), min(name) FROM site WHERE organisation_id = $1 AND target_id = $2
UNION ALL
SELECT 'pool(s)', count(*), min(name) FROM pool WHERE organisation_id = $1 AND target_id = $2
UNION ALL
SELECT 'number(s)', count(*), min(e164) FROM number WHERE organisation_id = $1 AND target_id = $2
UNION ALL
SELECT 'call(s) of the past', count(*), min(ref)
FROM (SELECT ref FROM call WHERE organisation_id = $1 AND target_id = $2 LIMIT 1) AS one;

-- site_held(organisation_id, id)
-- What needs a web property: its pools, and what was recorded on it.
SELECT 'pool(s)' AS what, count(*) AS n, min(name) AS example FROM pool
WHERE organisation_id = $1 AND site_id = $2
UNION ALL
SELECT 'visit(s) of the past', count(*), min(key)
FROM (SELECT key::text FROM session WHERE organisation_id = $1 AND site_id = $2 LIMIT 1) AS one
UNION ALL
SELECT 'call(s) of the past', count(*), min(ref)
FROM (SELECT ref FROM call WHERE organisation_id = $1 AND site_id = $2 LIMIT 1) AS one
UNION ALL
SELECT 'default number(s) of channels and sources', count(*), min(e164) FROM default_number
WHERE organisation_id = $1 AND site_id = $2;

-- pool_held(organisation_id, id)
-- The numbers of a pool that were not withdrawn.
SELECT 'number(s)' AS what, count(*) AS n, min(e164) AS example FROM number
WHERE organisation_id = $1 AND pool_id = $2 AND withdrawn_at IS NULL;

-- delete_trunk(organisation_id, id)
-- Once nothing holds it.
DELETE FROM trunk WHERE organisation_id = $1 AND id = $2;

-- delete_target(organisation_id, id)
-- Once nothing holds it.
DELETE FROM target WHERE organisation_id = $1 AND id = $2;

-- delete_site(organisation_id, id)
-- Once nothing holds it.
DELETE FROM site WHERE organisation_id = $1 AND id = $2;

-- delete_pool(organisation_id, id)
-- Once it has no number in use. Withdrawn numbers forget it; what was credited through it stays as it is.
WITH forgotten AS (
    UPDATE number SET pool_id = NULL
    WHERE organisation_id = $1 AND pool_id = $2 AND withdrawn_at IS NOT NULL
)
DELETE FROM pool WHERE organisation_id = $1 AND id = $2;
