-- heard(organisation_id, window_since, since, now, unshown)
-- The organisation's numbers that visitors are, or may be, shown one by one, and the calls that came to each:
-- all of those after `window_since`, and times and callers of those after `since` at which nobody had been shown
-- the number for the interval `unshown`. On a page it was from when it was handed out until the page spoke last,
-- or the reservation ended. A static pool's number hangs in the street: nobody knows who sees it.
WITH subject AS (
    SELECT number.*, pool.name AS pool, site.name AS site
    FROM number LEFT JOIN pool ON pool.id = number.pool_id LEFT JOIN site ON site.id = pool.site_id
    WHERE number.organisation_id = $1 AND number.withdrawn_at IS NULL AND pool.kind IS DISTINCT FROM 'static'
      AND NOT EXISTS (SELECT FROM site AS shows WHERE shows.default_number = number.e164
                                                   OR number.e164 = ANY (shows.page_numbers))
      AND NOT EXISTS (SELECT FROM pool AS shows WHERE shows.default_number = number.e164)
      AND NOT EXISTS (SELECT FROM default_number AS shows WHERE shows.e164 = number.e164)
      AND NOT EXISTS (SELECT FROM page_number AS shows WHERE shows.e164 = number.e164)
), rung AS MATERIALIZED (
    SELECT subject.id, call.arrived_at, call.caller,
           NOT (coalesce((
                    SELECT coalesce(newest.ended_at,
                                    CASE WHEN newest.id = subject.reservation_id AND subject.holder_id IS NOT NULL
                                         THEN subject.reserved_until ELSE 'infinity' END)
                    FROM reservation AS newest
                    WHERE newest.number_id = subject.id AND newest.started_at <= call.arrived_at
                    ORDER BY newest.started_at DESC LIMIT 1
                ) > call.arrived_at - $5::interval, false)
                OR EXISTS (
                    SELECT FROM reservation AS earlier JOIN session ON session.id = earlier.session_id
                    WHERE earlier.number_id = subject.id AND earlier.started_at <= call.arrived_at
                      AND earlier.started_at > call.arrived_at - $5::interval - interval '30 days'
                      AND session.seen_at > call.arrived_at - $5::interval AND session.shown = subject.e164
                )) AS noise
    FROM subject JOIN call ON call.number_id = subject.id
    WHERE call.arrived_at > $3 AND call.arrived_at <= $4
), noise AS (
    SELECT id, count(*) FILTER (WHERE arrived_at > $2) AS calls,
           array_agg(arrived_at ORDER BY arrived_at) FILTER (WHERE noise) AS noise_at,
           array_agg(caller ORDER BY arrived_at) FILTER (WHERE noise) AS noise_callers
    FROM rung GROUP BY id
)
SELECT subject.id AS number_id, subject.e164, subject.pool_id, subject.pool, subject.site, subject.standing,
       coalesce(subject.standing_since, subject.created_at) AS since, coalesce(last.actor, '') AS put_by,
       coalesce(
           (SELECT earlier.from_standing FROM number_standing_change AS earlier
            WHERE earlier.number_id = subject.id AND earlier.from_standing IN ('in_use', 'shared', 'resting')
            ORDER BY earlier.id DESC LIMIT 1),
           CASE WHEN subject.pool_id IS NULL THEN 'shared' ELSE 'in_use' END
       ) AS before,
       subject.released_at AS shown_until,
       (SELECT max(call.arrived_at) FROM call WHERE call.number_id = subject.id AND call.arrived_at <= $4)
           AS last_call_at,
       coalesce(noise.calls, 0) AS calls, noise.noise_at, noise.noise_callers,
       coalesce(silence.days, 0) AS silent_days
FROM subject
LEFT JOIN noise ON noise.id = subject.id
LEFT JOIN LATERAL (
    SELECT actor FROM number_standing_change AS change WHERE change.number_id = subject.id
    ORDER BY change.id DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    -- the gaps between its shows; of a number that is shown all the time nobody needs to know that it has none
    SELECT sum(greatest(0, extract(epoch FROM gap.until - greatest(gap.began + $5::interval, $2)))) / 86400 AS days
    FROM (
        SELECT coalesce(held.ended_at, CASE WHEN held.id = subject.reservation_id THEN subject.reserved_until
                                            ELSE $4 END) AS began,
               lead(held.started_at, 1, $4) OVER (ORDER BY held.started_at) AS until
        FROM reservation AS held
        WHERE held.number_id = subject.id AND held.started_at <= $4
          AND held.started_at >= coalesce((SELECT max(first.started_at) FROM reservation AS first
                                           WHERE first.number_id = subject.id
                                             AND first.started_at <= $2 - $5::interval), '-infinity')
        UNION ALL
        SELECT subject.created_at - $5::interval,
               coalesce((SELECT min(first.started_at) FROM reservation AS first
                         WHERE first.number_id = subject.id), $4)
    ) AS gap
    WHERE gap.until > gap.began
) AS silence ON noise.noise_at IS NOT NULL
             OR (subject.holder_id IS NULL AND subject.released_at < $4 - $5::interval)
ORDER BY subject.id;
