-- known(site_ids, visitors)
-- The newest session of each visitor, with the number it was shown and who was handed that last. A number that
-- was put aside is its own only for as long as it holds it.
SELECT session.id, session.site_id, session.visitor, session.key, session.ordinal, session.started_at,
       session.seen_at, session.input_at, session.gone_at, session.gone_kind, session.tapped_at, session.device,
       session.region, session.city, session.channel, session.source, session.medium, session.campaign, session.term,
       session.content, session.click_ids, session.landing_url, session.referrer, session.rate, session.verified_at,
       session.number_id AS shown_id, session.shown, session.overflow, session.bound_to, number.id AS number_id,
       number.e164, number.version, number.pool_id, number.holder_id, number.issued_at, number.reserved_until,
       number.ring
FROM unnest($1::bigint[], $2::uuid[]) AS asked (site_id, visitor)
CROSS JOIN LATERAL (
    SELECT * FROM session
    WHERE session.site_id = asked.site_id AND session.visitor = asked.visitor
    ORDER BY session.ordinal DESC LIMIT 1
) AS session
LEFT JOIN number ON number.id = session.number_id AND number.withdrawn_at IS NULL
                AND (number.standing = 'in_use' OR number.holder_id = session.id);

-- hear(keys, site_ids, input_ats, gone_kinds, now)
-- What pages said of themselves: a heartbeat (without gone_kind), with the moment of the last input if there was
-- one lately, or that they were left. The reservation of a session that holds its number ends when
-- reserved_until says, by the session's times as they are now. A page of a session whose number moved on speaks
-- for the visitor's next one; of two pages that speak for one session at once, the one that is looked at counts.
-- Numbers are locked before sessions, both in order of id, as in every statement that writes them: no deadlocks.
WITH spoke AS MATERIALIZED (
    SELECT beat.key, beat.input_at, beat.gone_kind, coalesce(named.moved_to, named.id) AS session_id
    FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[])
         AS beat (key, site_id, input_at, gone_kind)
    JOIN session AS named ON named.key = beat.key AND named.site_id = beat.site_id
), beat AS MATERIALIZED (
    SELECT DISTINCT ON (session.id)
           session.id, session.site_id, session.visitor, session.number_id, session.shown, session.bound_to,
           session.started_at, spoke.gone_kind IS NULL AS visible, was.gone, was.idle,
           spoke.gone_kind IS NOT NULL AND NOT was.gone AS leaves,
           spoke.gone_kind IS NULL AND (was.gone OR coalesce(spoke.input_at > $5 - interval '30 s', false)) AS active,
           CASE WHEN spoke.gone_kind IS NULL THEN greatest(session.seen_at, $5) ELSE session.seen_at END AS seen_at,
           CASE WHEN spoke.gone_kind IS NOT NULL OR (spoke.input_at IS NULL AND NOT was.gone) THEN session.input_at
                WHEN was.gone THEN greatest(session.input_at, $5)
                ELSE greatest(session.input_at, least(spoke.input_at, $5)) END AS input_at,
           CASE WHEN spoke.gone_kind IS NULL THEN NULL WHEN was.gone THEN session.gone_at ELSE $5 END AS gone_at,
           CASE WHEN spoke.gone_kind IS NULL THEN NULL WHEN was.gone THEN session.gone_kind
                ELSE spoke.gone_kind END AS gone_kind
    FROM spoke JOIN session ON session.id = spoke.session_id
    CROSS JOIN LATERAL (
        SELECT session.gone_at IS NOT NULL OR session.seen_at + interval '75 s' <= $5 AS gone,
               session.seen_at - session.input_at >= interval '30 s' AS idle
    ) AS was
    ORDER BY session.id, spoke.gone_kind IS NULL DESC, spoke.input_at DESC NULLS LAST
), held AS MATERIALIZED (
    SELECT number.id, number.pool_id, number.issued_at, number.reserved_until, number.bound_to,
           beat.id AS session_id
    FROM beat JOIN number ON number.id = beat.number_id
    WHERE (number.holder_id = beat.id OR (number.holder_id IS NOT NULL AND number.bound_to = beat.bound_to))
      AND number.withdrawn_at IS NULL
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), locked AS MATERIALIZED (
    -- with the tap of this very moment: who taps a number leaves the page with it
    SELECT session.id, session.tapped_at, session.moved_to FROM session JOIN beat ON beat.id = session.id
    WHERE (SELECT count(*) FROM held) >= 0
    ORDER BY session.id
    FOR NO KEY UPDATE OF session
), due AS (
    SELECT held.id, held.session_id, held.bound_to, beat.leaves, beat.seen_at,
           CASE
               -- the tail of an idle visitor's reservation began before he left, and an outage may have made it
               -- longer
               WHEN beat.idle AND beat.leaves THEN held.reserved_until
               -- one of several visits that hold a number together does not end the reservation of the others
               ELSE greatest(
                   reserved_until(pool, beat.started_at, beat.seen_at, beat.input_at, beat.gone_at,
                                  beat.gone_kind, locked.tapped_at, held.issued_at),
                   CASE WHEN held.bound_to IS NOT NULL THEN held.reserved_until END)
           END AS reserved_until
    FROM held JOIN beat ON beat.id = held.session_id JOIN locked ON locked.id = beat.id
    JOIN pool ON pool.id = held.pool_id
    WHERE beat.active OR beat.leaves OR (beat.visible AND NOT beat.idle)
), renewed AS (
    UPDATE number
    SET reserved_until = due.reserved_until,
        holder_left = due.leaves AND due.bound_to IS NULL,
        released_at = CASE WHEN due.leaves AND due.bound_to IS NULL THEN due.reserved_until
                           ELSE number.released_at END,
        silent_at = due.seen_at + interval '75 s',
        version = number.version + 1
    FROM due WHERE number.id = due.id
    RETURNING number.id, number.reserved_until
), seen AS (
    UPDATE session
    SET seen_at = greatest(session.seen_at, beat.seen_at), input_at = greatest(session.input_at, beat.input_at),
        gone_at = beat.gone_at, gone_kind = beat.gone_kind,
        counted_until = CASE WHEN beat.active AND (beat.gone OR beat.idle) THEN counted_until(session, $5)
                             ELSE session.counted_until END,
        verified_at = CASE WHEN beat.visible THEN coalesce(session.verified_at, $5) ELSE session.verified_at END
    FROM beat, locked
    -- one whose number has moved on this moment is gone, whatever its page says
    WHERE session.id = locked.id AND beat.id = locked.id AND locked.moved_to IS NULL
)
SELECT spoke.key, beat.visitor, coalesce(newest.shown, beat.shown) AS shown, pool.kind, held.id IS NOT NULL AS held,
       -- a number that was withdrawn has to go from the page too
       beat.active AND (beat.gone OR beat.idle OR number.withdrawn_at IS NOT NULL) AS resumed,
       CASE WHEN held.id IS NOT NULL THEN coalesce(renewed.reserved_until, number.reserved_until) END
           AS reserved_until
FROM spoke JOIN beat ON beat.id = spoke.session_id
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
-- A number on the page was tapped or copied; one that the session was never shown changes nothing. After a tap
-- the session holds its number for longer. A page of a session whose number moved on speaks for the next one.
WITH tapped AS MATERIALIZED (
    SELECT session.id, session.number_id, session.started_at, session.seen_at, session.input_at, session.gone_at,
           session.gone_kind, session.bound_to
    FROM session AS named JOIN session ON session.id = coalesce(named.moved_to, named.id)
    WHERE named.key = $1 AND named.site_id = $2
      AND ($3::text IS NULL OR session.shown = $3 OR EXISTS (
          SELECT FROM reservation JOIN number ON number.id = reservation.number_id
          WHERE reservation.session_id = session.id AND number.e164 = $3
      ))
), held AS MATERIALIZED (
    SELECT number.id, number.pool_id, number.issued_at
    FROM tapped JOIN number ON number.id = tapped.number_id
    WHERE (number.holder_id = tapped.id OR (number.holder_id IS NOT NULL AND number.bound_to = tapped.bound_to))
      AND number.withdrawn_at IS NULL AND $4::timestamptz IS NOT NULL
    FOR NO KEY UPDATE OF number
), due AS (
    SELECT held.id, reserved_until(pool, tapped.started_at, tapped.seen_at, tapped.input_at, tapped.gone_at,
                                   tapped.gone_kind, $4, held.issued_at) AS reserved_until
    FROM tapped, held JOIN pool ON pool.id = held.pool_id
), prolonged AS (
    UPDATE number
    SET reserved_until = greatest(number.reserved_until, due.reserved_until),
        released_at = CASE WHEN number.holder_left THEN greatest(number.reserved_until, due.reserved_until)
                           ELSE number.released_at END,
        version = number.version + 1
    FROM due WHERE number.id = due.id
    RETURNING number.id
)
UPDATE session
SET tapped_at = greatest(session.tapped_at, $4), copied_at = greatest(session.copied_at, $5),
    tapped_number = CASE WHEN $4::timestamptz IS NULL THEN tapped_number ELSE coalesce($3, shown) END
FROM tapped
WHERE session.id = tapped.id AND (SELECT count(*) FROM prolonged) >= 0
RETURNING session.id;
