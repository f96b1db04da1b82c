-- directory()
-- Every site, as visits need it. There are few, and they are kept in memory for some seconds.
SELECT id, organisation_id, key, name, origins, region, time_zone, default_number, page_numbers, target_id
FROM site;

-- pools()
-- Every pool; of a static one also the number it shows, which is its oldest.
SELECT pool.id, pool.organisation_id, pool.site_id, pool.name, pool.kind, pool.policy, pool.priority,
       pool.reservation_seconds, pool.rules, pool.default_number, pool.target_id, pool.record, pool.source,
       pool.medium, pool.campaign, pool.closed_seconds, pool.left_seconds, pool.idle_seconds, pool.bounce_seconds,
       pool.tapped_seconds, pool.price, pool.goal, pool.aim, pool.binding, pool.grows, pool.channel, pool.region,
       shown.id AS number_id, shown.e164
FROM pool
LEFT JOIN LATERAL (
    SELECT number.id, number.e164 FROM number
    WHERE pool.kind = 'static' AND number.pool_id = pool.id AND number.withdrawn_at IS NULL
      AND number.holder_id IS NULL AND number.standing = 'in_use'
    ORDER BY number.id LIMIT 1
) AS shown ON true;

-- channels()
-- Every organisation's own channels, in the order in which they are asked.
SELECT organisation_id, key, name, rules FROM channel ORDER BY place, id;

-- default_numbers()
-- Default numbers of channels and sources. One that a dynamic pool was given since hands itself out there: a
-- page that showed it besides would be taken for its holder's.
SELECT site_id, channel, source, e164 FROM default_number
WHERE NOT EXISTS (
    SELECT FROM number JOIN pool ON pool.id = number.pool_id
    WHERE number.e164 = default_number.e164 AND number.withdrawn_at IS NULL AND pool.kind = 'dynamic'
);
