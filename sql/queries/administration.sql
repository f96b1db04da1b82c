-- lock()
-- One administrator writes at a time: "is this target one of our numbers" must not race with its opposite.
-- Any constant will do; it must only be the same in every process.
SELECT pg_advisory_xact_lock(7237964);

-- put_organisation(name, created_at)
-- A customer of this installation.
INSERT INTO organisation (name, created_at) VALUES ($1, $2) RETURNING id;

-- organisations()
-- All of them, oldest first.
SELECT id, name, created_at FROM organisation ORDER BY id;

-- put_trunk(organisation_id, name, target_id, created_at)
-- A carrier's connection, with the target its calls take when nothing else is known.
INSERT INTO trunk (organisation_id, name, target_id, created_at) VALUES ($1, $2, $3, $4) RETURNING id;

-- trunks(organisation_id)
-- The organisation's trunks with the name of their target.
SELECT trunk.id, trunk.name, target.name AS target
FROM trunk LEFT JOIN target ON target.id = trunk.target_id
WHERE trunk.organisation_id = $1 ORDER BY trunk.name;

-- direct_trunk(organisation_id, name, target_id)
-- Another target for a trunk.
UPDATE trunk SET target_id = $3 WHERE organisation_id = $1 AND name = $2 RETURNING id;

-- put_target(organisation_id, name, kind, endpoint, e164, trunk_id, ring_seconds, created_at)
-- A company line.
INSERT INTO target (organisation_id, name, kind, endpoint, e164, trunk_id, ring_seconds, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id;

-- targets(organisation_id)
-- The organisation's company lines.
SELECT target.id, target.name, target.kind, target.endpoint, target.e164, trunk.name AS trunk,
       target.ring_seconds
FROM target LEFT JOIN trunk ON trunk.id = target.trunk_id
WHERE target.organisation_id = $1 ORDER BY target.name;

-- targets_among(e164s)
-- Which of these numbers are company lines of any organisation.
SELECT e164 FROM target WHERE e164 = ANY ($1::text[]);

-- numbers_among(e164s)
-- Which of these numbers are ours and in use, in any organisation.
SELECT e164 FROM number WHERE e164 = ANY ($1::text[]) AND withdrawn_at IS NULL;

-- put_site(organisation_id, key, name, origins, region, time_zone, default_number, page_numbers, target_id, created_at)
-- One web property.
INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, page_numbers,
                  target_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id;

-- sites(organisation_id)
-- The organisation's web properties.
SELECT id, organisation_id, key, name, origins, region, time_zone, default_number, page_numbers, target_id
FROM site WHERE organisation_id = $1 ORDER BY name;

-- origin_known(origin)
-- Whether any site has pages at this origin.
SELECT EXISTS (SELECT FROM site WHERE $1::text = ANY (origins));

-- time_zone_known(name)
-- PostgreSQL's own list: it is the one that reports will use.
SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1);

-- put_pool(organisation_id, site_id, name, kind, policy, priority, reservation_seconds, rules, default_number, target_id, record, source, medium, campaign, closed_seconds, left_seconds, idle_seconds, bounce_seconds, tapped_seconds, price, goal, aim, binding, grows, channel, region, created_at)
-- Numbers that serve one purpose.
INSERT INTO pool (organisation_id, site_id, name, kind, policy, priority, reservation_seconds, rules, default_number,
                  target_id, record, source, medium, campaign, closed_seconds, left_seconds, idle_seconds,
                  bounce_seconds, tapped_seconds, price, goal, aim, binding, grows, channel, region, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
        $25, $26, $27) RETURNING id;

-- pools(organisation_id)
-- The organisation's pools, with their site's name and how many numbers each has in use.
SELECT pool.id, pool.organisation_id, pool.site_id, pool.name, pool.kind, pool.policy, pool.priority,
       pool.reservation_seconds, pool.rules, pool.default_number, pool.target_id, pool.record,
       pool.source, pool.medium, pool.campaign, pool.closed_seconds, pool.left_seconds, pool.idle_seconds,
       pool.bounce_seconds, pool.tapped_seconds, pool.price, pool.goal, pool.aim, pool.binding, pool.grows,
       pool.channel, pool.region, site.name AS site, site.region AS site_region,
       (SELECT count(*) FROM number WHERE number.pool_id = pool.id AND withdrawn_at IS NULL) AS numbers
FROM pool JOIN site ON site.id = pool.site_id
WHERE pool.organisation_id = $1 ORDER BY site.name, pool.priority, pool.name;

-- put_numbers(organisation_id, e164s, trunk_id, pool_id, target_id, record, created_at)
-- New numbers; one that this organisation withdrew comes back into use. Returns those taken in.
INSERT INTO number (organisation_id, e164, trunk_id, pool_id, target_id, record, created_at)
SELECT $1, e164, $3, $4, $5, $6, $7 FROM unnest($2::text[]) AS given (e164)
ON CONFLICT (e164) DO UPDATE
SET withdrawn_at = NULL, trunk_id = $3, pool_id = $4, target_id = $5, record = $6, standing = 'in_use',
    standing_since = $7, grown_at = NULL, version = number.version + 1
WHERE number.withdrawn_at IS NOT NULL AND number.organisation_id = $1
RETURNING e164;

-- numbers(organisation_id)
-- The organisation's numbers, with the names of what they belong to.
SELECT number.id, number.e164, pool.name AS pool, site.name AS site, trunk.name AS trunk,
       target.name AS target, number.record, number.withdrawn_at, number.standing, number.reserved_until,
       number.holder_id IS NOT NULL AS held
FROM number
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN trunk ON trunk.id = number.trunk_id
LEFT JOIN target ON target.id = number.target_id
WHERE number.organisation_id = $1 ORDER BY site.name, pool.name, number.e164;

-- withdraw_numbers(organisation_id, e164s, now)
-- Taken out of use: nobody gets them any more, and a reservation in force ends now. Returns those that were
-- in use.
WITH gone AS (
    SELECT id, reservation_id FROM number
    WHERE organisation_id = $1 AND e164 = ANY ($2::text[]) AND withdrawn_at IS NULL
    -- in one order, as everywhere
    ORDER BY id FOR UPDATE
), ended AS (
    UPDATE reservation SET ended_at = greatest($3, started_at), end_reason = 'withdrawn'
    FROM gone WHERE reservation.id = gone.reservation_id AND reservation.ended_at IS NULL
)
UPDATE number
SET withdrawn_at = $3, holder_id = NULL, holder_left = false, bound_to = NULL, reservation_id = NULL,
    released_at = $3, reserved_until = $3, version = version + 1
FROM gone WHERE number.id = gone.id
RETURNING number.e164;
