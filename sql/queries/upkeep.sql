-- newest_pulse()
-- When a router last wrote that it lives; null before the first.
SELECT max(at) FROM router_pulse;

-- pulse(router, now)
-- This router lives.
INSERT INTO router_pulse (router, at) VALUES ($1, $2)
ON CONFLICT (router) DO UPDATE SET at = greatest(router_pulse.at, $2);

-- one_at_a_time(key)
-- Wait until no other router is looking at the same outage. A statement of its own: one that waits for a lock
-- goes on with the view of the data it began with.
SELECT pg_advisory_xact_lock($1);

-- prolong(gap_started_at, now)
-- Writes an outage down, and lets the reservations that were in force when it began run on for as long.
WITH held AS MATERIALIZED (
    SELECT id FROM number WHERE holder_id IS NOT NULL AND reserved_until > $1 ORDER BY id FOR NO KEY UPDATE
), prolonged AS (
    UPDATE number
    SET reserved_until = number.reserved_until + ($2::timestamptz - $1),
        released_at = CASE WHEN holder_left THEN released_at + ($2::timestamptz - $1) ELSE released_at END,
        silent_at = silent_at + ($2::timestamptz - $1), version = number.version + 1
    FROM held WHERE number.id = held.id
    RETURNING number.id
)
INSERT INTO outage (started_at, ended_at, prolonged) SELECT $1, $2, count(*) FROM prolonged
RETURNING prolonged;

-- outages(since)
-- The outages that were not over at a moment.
SELECT started_at, ended_at FROM outage WHERE ended_at > $1 ORDER BY started_at;

-- sweep(now, most)
-- Numbers whose reservation has run out are free in the index too, and their history ends when it ran out.
-- Nobody waits for this: a number is free when its time is over, swept or not.
WITH over AS MATERIALIZED (
    SELECT id, reservation_id, reserved_until FROM number
    WHERE holder_id IS NOT NULL AND reserved_until <= $1
    ORDER BY id LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    -- by key, as arrays are expected to be short: where many are held, so many might be over that the planner
    -- would rather read the whole past
    UPDATE reservation
    SET ended_at = greatest(reservation.started_at, gone.at), end_reason = 'expired'
    FROM unnest(ARRAY(SELECT reservation_id FROM over), ARRAY(SELECT reserved_until FROM over)) AS gone (id, at)
    WHERE reservation.id = gone.id AND reservation.ended_at IS NULL
), swept AS (
    UPDATE number
    -- for who read it before it is as free as it is now: it is the same version
    -- and what held it last gets it back if nobody else was shown it
    SET holder_id = NULL, holder_left = false, released_at = over.reserved_until
    FROM over WHERE number.id = over.id
    RETURNING number.id
)
SELECT count(*) FROM swept;

-- silent(now, most)
-- Numbers whose holders said nothing for so long that they count as lost are found by index like those whose
-- holders said that they go. For the index only: what a holder does is computed from its times when it is read.
WITH silent AS MATERIALIZED (
    SELECT id, holder_id FROM number
    WHERE holder_id IS NOT NULL AND NOT holder_left AND silent_at <= $1 AND bound_to IS NULL
    ORDER BY id LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
), looked AS (
    SELECT silent.id, coalesce(session.gone_at <= $1 OR session.seen_at + interval '75 s' <= $1, true) AS lost,
           session.seen_at
    FROM silent LEFT JOIN session ON session.id = silent.holder_id
)
UPDATE number
SET holder_left = looked.lost,
    released_at = CASE WHEN looked.lost THEN number.reserved_until ELSE number.released_at END,
    silent_at = CASE WHEN looked.lost THEN number.silent_at ELSE looked.seen_at + interval '75 s' END
FROM looked WHERE number.id = looked.id
RETURNING number.id;

-- forget_pulses(before)
-- Routers that have not lived since are no more; the newest pulse of all stays.
DELETE FROM router_pulse WHERE at < $1 AND at < (SELECT max(at) FROM router_pulse);

-- overlapping_reservations()
-- Pairs of reservations of one number at one time: there are none.
SELECT later.number_id, later.id, later.started_at, earlier.id AS earlier_id, earlier.ended_at AS earlier_ended_at
FROM (
    SELECT id, number_id, started_at,
           lag(id) OVER history AS earlier_id,
           max(coalesce(ended_at, 'infinity')) OVER (history ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
               AS taken_until
    FROM reservation
    WINDOW history AS (PARTITION BY number_id ORDER BY started_at, id)
) AS later
JOIN reservation AS earlier ON earlier.id = later.earlier_id
WHERE later.taken_until > later.started_at;
