-- newest_shown(site_key, now, since)
-- The number that the site's newest visitor with a live reservation is looking at, or looked at since then.
SELECT number.e164, session.key, session.source, session.medium, session.campaign
FROM number
JOIN pool ON pool.id = number.pool_id
JOIN site ON site.id = pool.site_id
JOIN session ON session.id = number.holder_id
WHERE site.key = $1 AND number.withdrawn_at IS NULL AND number.reserved_until > $2
  AND greatest(session.seen_at, session.gone_at) > $3
ORDER BY number.issued_at DESC, number.id DESC
LIMIT 1;

-- move_site(site_key, origins)
-- Where the site's pages come from now.
UPDATE site SET origins = $2 WHERE key = $1 AND origins <> $2 RETURNING id;

-- overlapping_reservations()
-- How many reservations of the last 30 days began before the one before them on their number ended: none.
SELECT count(*)
FROM (
    SELECT started_at,
           lag(coalesce(ended_at, 'infinity')) OVER (PARTITION BY number_id ORDER BY started_at, id) AS before
    FROM reservation
    WHERE started_at > now() - interval '30 days'
) AS history
WHERE before > started_at;

-- clock()
-- The database's time, in seconds since 1970.
SELECT extract(epoch FROM clock_timestamp());

-- visits_after(id)
-- The visits that began after the one given, oldest first.
SELECT id, key, source, medium, campaign, shown, overflow
FROM session WHERE id > $1 ORDER BY id LIMIT 50;

-- newest_visit()
-- The newest visit's id, 0 where there was none.
SELECT coalesce(max(id), 0) FROM session;
