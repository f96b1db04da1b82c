-- known(site_ids, visitors)
-- The newest session of each visitor, with the number it was shown and who was handed that last.
SELECT session.id, session.site_id, session.visitor, session.key, session.ordinal, session.started_at,
       session.seen_at, session.gone_at, session.source, session.medium, session.campaign, session.term,
       session.content, session.channel, session.click_ids, session.landing_url, session.referrer, session.device,
       session.region, session.city, session.shown, session.overflow, number.id AS number_id, number.e164,
       number.version, number.pool_id, number.holder_id, number.reserved_until,
       coalesce(number.holder_id, reservation.session_id) AS newest_holder
FROM unnest($1::bigint[], $2::uuid[]) AS asked (site_id, visitor)
CROSS JOIN LATERAL (
    SELECT * FROM session
    WHERE session.site_id = asked.site_id AND session.visitor = asked.visitor
    ORDER BY session.ordinal DESC LIMIT 1
) AS session
LEFT JOIN number ON number.id = session.number_id AND number.withdrawn_at IS NULL
LEFT JOIN reservation ON reservation.id = number.reservation_id;

-- hear(keys, site_ids, inputs, gone_kinds, now)
-- What pages said of themselves: a heartbeat (without gone_kind) or that they were left. The reservation of a
-- session that holds its number is renewed by input, or by being seen again, and its tail begins when it
-- leaves: the rules of domain/allocation.reserved_until, applied to the rows as they are. Numbers are locked
-- before sessions, both in order of id, as in every statement that writes them: no deadlocks.
WITH beat AS MATERIALIZED (
    SELECT session.id, session.key, session.site_id, session.visitor, session.number_id, session.shown,
           beat.gone_kind, was.gone,
           beat.gone_kind IS NULL AND (beat.input OR was.gone) AS active,
           beat.gone_kind IS NOT NULL AND NOT was.gone AS leaves,
           session.seen_at - session.input_at >= interval '30 s' AS idle
    FROM unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::text[]) AS beat (key, site_id, input, gone_kind)
    JOIN session ON session.key = beat.key AND session.site_id = beat.site_id
    CROSS JOIN LATERAL (
        SELECT session.gone_at IS NOT NULL OR session.seen_at + interval '75 s' <= $5
    ) AS was (gone)
), held AS MATERIALIZED (
    SELECT number.id, beat.id AS session_id, beat.active, beat.leaves AND NOT beat.idle AS tail
    FROM beat JOIN number ON number.id = beat.number_id
    WHERE number.holder_id = beat.id AND number.withdrawn_at IS NULL
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), renewed AS (
    UPDATE number
    SET reserved_until = CASE
            WHEN held.active
                THEN greatest(number.reserved_until, $5 + make_interval(secs => 75 + pool.reservation_seconds))
            ELSE $5 + make_interval(secs => pool.reservation_seconds)
        END,
        version = number.version + 1
    FROM held, pool
    WHERE number.id = held.id AND pool.id = number.pool_id AND (held.active OR held.tail)
    RETURNING number.id, number.reserved_until
), locked AS MATERIALIZED (
    SELECT session.id FROM session JOIN beat ON beat.id = session.id
    WHERE (SELECT count(*) FROM renewed) >= 0
    ORDER BY session.id
    FOR NO KEY UPDATE OF session
), seen AS (
    UPDATE session
    SET seen_at = CASE WHEN beat.gone_kind IS NULL THEN greatest(session.seen_at, $5) ELSE session.seen_at END,
        input_at = CASE WHEN beat.active THEN greatest(session.input_at, $5) ELSE session.input_at END,
        gone_at = CASE WHEN beat.gone_kind IS NULL THEN NULL WHEN beat.leaves THEN $5 ELSE session.gone_at END,
        gone_kind = CASE WHEN beat.gone_kind IS NULL THEN NULL WHEN beat.leaves THEN beat.gone_kind
                         ELSE session.gone_kind END
    FROM beat, locked
    WHERE session.id = locked.id AND beat.id = locked.id
)
SELECT beat.key, beat.visitor, coalesce(newest.shown, beat.shown) AS shown, beat.active,
       beat.gone AS was_gone, pool.kind, held.id IS NOT NULL AS held,
       CASE WHEN held.id IS NOT NULL THEN coalesce(renewed.reserved_until, number.reserved_until) END
           AS reserved_until
FROM beat
LEFT JOIN held ON held.session_id = beat.id
LEFT JOIN renewed ON renewed.id = held.id
LEFT JOIN number ON number.id = beat.number_id
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN LATERAL (
    SELECT session.shown FROM session
    WHERE held.id IS NULL AND session.site_id = beat.site_id AND session.visitor = beat.visitor
    ORDER BY session.ordinal DESC LIMIT 1
) AS newest ON true;

-- tap(key, site_id, number, tapped_at, copied_at)
-- A number on the page was tapped or copied; one that the session was never shown changes nothing.
UPDATE session
SET tapped_at = greatest(session.tapped_at, $4), copied_at = greatest(session.copied_at, $5),
    tapped_number = CASE WHEN $4::timestamptz IS NULL THEN tapped_number ELSE coalesce($3, shown) END
WHERE key = $1 AND site_id = $2
  AND ($3::text IS NULL OR shown = $3 OR EXISTS (
      SELECT FROM reservation JOIN number ON number.id = reservation.number_id
      WHERE reservation.session_id = session.id AND number.e164 = $3
  ))
RETURNING id;
