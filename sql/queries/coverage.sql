-- newest()
-- When coverage was last reckoned; null before the first time.
SELECT max(reckoned_at) FROM pool_coverage;

-- pools()
-- The dynamic pools whose numbers visitors hold, and how many each has to hand out.
SELECT pool.id, pool.organisation_id, pool.site_id, pool.name, pool.kind, pool.policy, pool.priority,
       pool.reservation_seconds, pool.rules, pool.default_number, pool.target_id, pool.record, pool.source,
       pool.medium, pool.campaign, pool.closed_seconds, pool.left_seconds, pool.idle_seconds, pool.bounce_seconds,
       pool.tapped_seconds, pool.price, pool.goal, pool.aim, pool.binding, pool.grows, pool.channel, pool.region,
       (SELECT count(*) FROM number
        WHERE number.pool_id = pool.id AND withdrawn_at IS NULL AND standing = 'in_use') AS numbers
FROM pool WHERE pool.kind = 'dynamic' AND pool.binding = '{}';

-- visits(before, most)
-- So many sessions before one, newest first: a short page, as a long look at the past slows down all who write.
-- `day` counts days of the site's time zone.
SELECT session.id, session.pool_id, session.started_at, session.seen_at, session.input_at, session.gone_at,
       session.gone_kind, session.tapped_at, session.counted_until, session.found_free,
       (session.started_at AT TIME ZONE site.time_zone)::date - date '2000-01-01' AS day
FROM session JOIN site ON site.id = session.site_id
WHERE session.id < $1
ORDER BY session.id DESC LIMIT $2;

-- put(pool_id, reckoned_at, since, days, numbers, visits, covered, error, found_free)
-- The newest reckoning takes the place of the one before.
INSERT INTO pool_coverage (pool_id, reckoned_at, since, days, numbers, visits, covered, error, found_free)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (pool_id) DO UPDATE
SET reckoned_at = $2, since = $3, days = $4, numbers = $5, visits = $6, covered = $7, error = $8, found_free = $9
WHERE pool_coverage.reckoned_at < $2;

-- latest(organisation_id)
-- The newest reckoning of each of the organisation's pools.
SELECT pool.name AS pool, site.name AS site, pool.goal, pool.aim, found.reckoned_at, found.since, found.days,
       found.numbers, found.visits, found.covered, found.error, found.found_free
FROM pool_coverage AS found JOIN pool ON pool.id = found.pool_id JOIN site ON site.id = pool.site_id
WHERE pool.organisation_id = $1 ORDER BY site.name, pool.priority, pool.name;
