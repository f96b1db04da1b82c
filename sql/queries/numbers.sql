-- open(pool_ids, mosts, campaign_pools, campaigns, beyond)
-- For each pool so many of the numbers that are free or of which only a tail is running, those first that have
-- been reservable longest; and of those that come after them, for each campaign so many that it was shown last.
WITH first AS MATERIALIZED (
    SELECT asked.pool_id, asked.most, found.*
    FROM unnest($1::bigint[], $2::bigint[]) AS asked (pool_id, most)
    CROSS JOIN LATERAL (
        SELECT number.id, number.e164, number.version, number.holder_id, number.issued_at, number.reserved_until,
               number.released_at, number.ring
        FROM number
        WHERE number.pool_id = asked.pool_id AND (number.holder_id IS NULL OR number.holder_left)
          AND number.withdrawn_at IS NULL AND number.standing = 'in_use'
        ORDER BY number.released_at, number.id
        LIMIT asked.most
    ) AS found
), edge AS MATERIALIZED (
    -- a pool of which all were read has none after them
    SELECT DISTINCT ON (pool_id) pool_id, released_at, id
    FROM (SELECT *, count(*) OVER (PARTITION BY pool_id) = most AS more FROM first) AS first
    WHERE more
    ORDER BY pool_id, released_at DESC, id DESC
)
SELECT chosen.*, ARRAY[
    -- a row that was written to has another one: what was read before of a number and its holders still holds
    (SELECT xmin FROM session WHERE session.id = chosen.ring[1]),
    (SELECT xmin FROM session WHERE session.id = chosen.ring[2]),
    (SELECT xmin FROM session WHERE session.id = chosen.ring[3])
] AS stamps
FROM (
SELECT pool_id, id, e164, version, holder_id, issued_at, reserved_until, ring FROM first
UNION ALL
SELECT edge.pool_id, found.*
FROM unnest($3::bigint[], $4::text[]) AS asked (pool_id, campaign)
JOIN edge ON edge.pool_id = asked.pool_id
CROSS JOIN LATERAL (
    SELECT number.id, number.e164, number.version, number.holder_id, number.issued_at, number.reserved_until,
           number.ring
    FROM number
    WHERE number.pool_id = asked.pool_id AND number.last_campaign = asked.campaign
      AND (number.released_at, number.id) > (edge.released_at, edge.id)
      AND (number.holder_id IS NULL OR number.holder_left)
      AND number.withdrawn_at IS NULL AND number.standing = 'in_use'
    ORDER BY number.released_at, number.id
    LIMIT $5
) AS found
) AS chosen;

-- held(pool_id, now, most, campaigns, oldest, drained_above, begun, provisional)
-- The held numbers of a pool that may be chosen, by what their holders do at `now`: of those whose holder is gone
-- or idle the ones that are reservable first, of those looked at the ones handed out first; so many of each, and
-- with them the first of each of the campaigns; and so many of the oldest issue, whatever their holders do.
-- `drained`: of the pool's numbers a larger share than that is held by visits whose page never spoke, though they
-- had begun by then; those count as gone, and at any time those that had begun by `provisional`. Reads all held numbers of the pool: nothing that a heartbeat writes is indexed.
WITH holding AS MATERIALIZED (
    SELECT number.id, number.e164, number.version, number.holder_id, number.issued_at, number.reserved_until,
           number.ring, number.last_campaign, holder.id AS session_id, holder.gone_at, holder.seen_at,
           holder.input_at, holder.verified_at IS NULL AND holder.started_at <= $7 AS silent,
           holder.verified_at IS NULL AND holder.started_at <= $8 AS provisional
    FROM number
    -- by key, one by one: planned while few sessions were known, it would read all of them for ever
    LEFT JOIN LATERAL (SELECT * FROM session WHERE session.id = number.holder_id OFFSET 0) AS holder ON true
    WHERE number.pool_id = $1 AND number.holder_id IS NOT NULL
      AND number.withdrawn_at IS NULL AND number.standing = 'in_use'
), pool AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE silent AND reserved_until > $2) > $6::float8 * (count(*) + (
               SELECT count(*) FROM number
               WHERE pool_id = $1 AND holder_id IS NULL AND (holder_id IS NULL OR holder_left)
                 AND withdrawn_at IS NULL AND standing = 'in_use')) AS drained
    FROM holding
), standing AS (
    SELECT holding.*, pool.drained, tier.tier,
           CASE tier.tier WHEN 2 THEN holding.issued_at ELSE holding.reserved_until END AS since
    FROM holding CROSS JOIN pool
    CROSS JOIN LATERAL (
        SELECT CASE WHEN reserved_until <= $2 OR session_id IS NULL OR gone_at <= $2
                         OR seen_at + interval '75 s' <= $2 OR provisional
                         OR (pool.drained AND silent) THEN 0
                    WHEN seen_at - input_at >= interval '30 s' THEN 1
                    ELSE 2 END AS tier
    ) AS tier
), placed AS (
    SELECT standing.*,
           row_number() OVER (PARTITION BY tier ORDER BY since, id) AS place,
           row_number() OVER (PARTITION BY tier, last_campaign ORDER BY since, id) AS campaign_place,
           row_number() OVER (ORDER BY issued_at, id) AS issue_place
    FROM standing
)
SELECT $1 AS pool_id, id, e164, version, holder_id, issued_at, reserved_until, ring, drained, ARRAY[
    (SELECT xmin FROM session WHERE session.id = placed.ring[1]),
    (SELECT xmin FROM session WHERE session.id = placed.ring[2]),
    (SELECT xmin FROM session WHERE session.id = placed.ring[3])
] AS stamps
FROM placed
WHERE place <= $3 OR issue_place <= $5
   OR (last_campaign = ANY ($4::text[]) AND campaign_place <= $3 + 16);

-- bound(pool_ids, combinations)
-- The numbers that combinations of parameters hold, or held last.
SELECT found.*
FROM unnest($1::bigint[], $2::text[]) AS asked (pool_id, combination)
CROSS JOIN LATERAL (
    SELECT number.pool_id, number.id, number.e164, number.version, number.holder_id, number.issued_at,
           number.reserved_until, number.ring, number.bound_to
    FROM number
    WHERE number.pool_id = asked.pool_id AND number.bound_to = asked.combination
      AND number.bound_to IS NOT NULL AND number.withdrawn_at IS NULL AND number.standing = 'in_use'
    LIMIT 1
) AS found;

-- rings(session_ids)
-- What a score needs of the sessions in the rings of numbers.
SELECT id, started_at, seen_at, input_at, gone_at, gone_kind, tapped_at, device, region, channel, source, medium,
       campaign, rate, verified_at
FROM session WHERE id = ANY ($1::bigint[]);

-- masses(number_ids)
-- What remains of those who fell out of the rings of these numbers.
SELECT number_id, at, masses FROM number_mass WHERE number_id = ANY ($1::bigint[]);
