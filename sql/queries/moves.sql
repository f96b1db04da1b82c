-- find(organisation_id, e164s, now)
-- The organisation's numbers among these, as moving and leaving them needs it; locked, so that nobody is handed
-- one meanwhile.
SELECT number.id, number.e164, number.carrier, number.region, number.standing, number.withdrawn_at, number.pool_id,
       pool.name AS pool, number.moves_to, number.leaves_at,
       number.holder_id IS NOT NULL AND number.reserved_until > $3 AS held
FROM number LEFT JOIN pool ON pool.id = number.pool_id
WHERE number.organisation_id = $1 AND number.e164 = ANY ($2::text[])
ORDER BY number.id FOR NO KEY UPDATE OF number;

-- put(number_ids, pool_id, now)
-- Into another pool, at once. A number that was put aside stays so; one of the shared pool, one that rested and one
-- that waited for its move are in use from now on. Whoever held it holds it no more.
WITH locked AS MATERIALIZED (
    SELECT id, reservation_id FROM number WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
), ended AS (
    UPDATE reservation SET ended_at = greatest($3, reservation.started_at), end_reason = 'moved'
    FROM locked WHERE reservation.id = locked.reservation_id AND reservation.ended_at IS NULL
), given AS (
    UPDATE taken_back SET given_at = $3 FROM locked
    WHERE taken_back.number_id = locked.id AND taken_back.given_at IS NULL
)
UPDATE number
SET pool_id = $2, grown_at = NULL, moves_to = NULL, leaves_at = NULL,
    standing = CASE WHEN number.standing IN ('shared', 'resting') OR number.moves_to IS NOT NULL THEN 'in_use'
                    ELSE number.standing END,
    standing_since = CASE WHEN number.standing IN ('shared', 'resting') OR number.moves_to IS NOT NULL THEN $3
                          ELSE number.standing_since END,
    released_at = CASE WHEN number.holder_id IS NULL THEN number.released_at ELSE $3 END,
    reserved_until = CASE WHEN number.holder_id IS NULL THEN number.reserved_until ELSE least(number.reserved_until, $3) END,
    holder_id = NULL, holder_left = false, bound_to = NULL, reservation_id = NULL, version = number.version + 1
FROM locked WHERE number.id = locked.id;

-- await_end(number_ids, moves_to, leaves_at)
-- Shown to nobody new from now on (their standing is changed beside): they go to another pool, or out of use, when
-- their reservation has ended.
UPDATE number SET moves_to = $2, leaves_at = $3, version = version + 1 WHERE id = ANY ($1::bigint[]);

-- waiting(now, most)
-- Numbers whose move or withdrawal is due: nobody holds them any more. Locked, so that of several routers one does it.
SELECT id, organisation_id, e164, standing, moves_to, leaves_at
FROM number
WHERE withdrawn_at IS NULL AND (moves_to IS NOT NULL OR leaves_at <= $1)
  AND (holder_id IS NULL OR reserved_until <= $1)
ORDER BY id LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED;

-- forget_wait(number_ids)
-- What was to become of numbers that a person has released, or put elsewhere, meanwhile.
UPDATE number SET moves_to = NULL, leaves_at = NULL WHERE id = ANY ($1::bigint[]);
