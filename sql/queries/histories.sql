-- number(organisation_id, e164)
-- One number with what it belongs to, and how often it was shown and called.
SELECT number.id, number.e164, number.standing, number.withdrawn_at, number.created_at, pool.name AS pool,
       site.name AS site, trunk.name AS trunk, coalesce(target.name, pools.name, sites.name) AS target,
       number.carrier, number.region, number.rate_centre, block.block_id AS block, number.monthly_cost,
       number.currency, number.holder_id IS NOT NULL AS held, number.reserved_until, towards.name AS moves_to,
       number.leaves_at,
       (SELECT count(*) FROM reservation WHERE reservation.number_id = number.id) AS shows,
       (SELECT count(*) FROM call WHERE call.number_id = number.id) AS calls
FROM number
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN pool AS towards ON towards.id = number.moves_to
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN trunk ON trunk.id = number.trunk_id
LEFT JOIN target ON target.id = number.target_id
LEFT JOIN target AS pools ON pools.id = pool.target_id
LEFT JOIN target AS sites ON sites.id = site.target_id
LEFT JOIN block ON block.id = number.block_id
WHERE number.organisation_id = $1 AND number.e164 = $2;

-- holdings(number_id, most)
-- Who held a number, the newest first.
SELECT reservation.started_at, reservation.ended_at, reservation.end_reason, pool.name AS pool, session.key AS session,
       session.visitor, session.source, session.medium, session.campaign, session.channel, session.region
FROM reservation
LEFT JOIN session ON session.id = reservation.session_id
LEFT JOIN pool ON pool.id = reservation.pool_id
WHERE reservation.number_id = $1 ORDER BY reservation.started_at DESC LIMIT $2;

-- calls(number_id, most)
-- The calls to a number, the newest first.
SELECT call.ref, call.arrived_at, call.caller, call.outcome, attribution.level, attribution.confidence,
       attribution.source, attribution.medium, attribution.campaign
FROM call LEFT JOIN attribution ON attribution.id = call.attribution_id
WHERE call.number_id = $1 ORDER BY call.arrived_at DESC LIMIT $2;

-- changes(number_id, most)
-- What was done to a number, the newest first: where it belongs, how it is written, and how it stands and why.
SELECT at, what, pool, why, actor FROM (
    SELECT number_change.at, CASE WHEN number_change.withdrawn THEN 'withdrawn' ELSE number_change.e164 END AS what,
           pool.name AS pool, '' AS why, '' AS actor, number_change.id
    FROM number_change LEFT JOIN pool ON pool.id = number_change.pool_id WHERE number_change.number_id = $1
    UNION ALL
    SELECT change.at, change.from_standing || ' -> ' || change.to_standing, pool.name, change.why, change.actor,
           change.id
    FROM number_standing_change AS change LEFT JOIN pool ON pool.id = change.pool_id WHERE change.number_id = $1
) AS every
ORDER BY at DESC, id DESC LIMIT $2;
