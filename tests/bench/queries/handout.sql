-- skip_locked(key, visitor, now, landing_url, until)
-- A session, the number that has been free longest, and the history row, in one statement.
WITH fresh AS (
    INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,
        device, landing_url, referrer, source, medium, campaign, term, content, click_ids, shown)
    VALUES (1, 1, $1, $2, 1, $3, $3, $3, 'desktop', $4, 'https://www.google.com/', 'google', 'cpc',
        'spring', 'flat', '', '{}', '')
    RETURNING id
), chosen AS (
    SELECT id FROM number
    WHERE pool_id = 1 AND holder_id IS NULL AND withdrawn_at IS NULL
    ORDER BY released_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
), history AS (
    INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)
    SELECT 1, chosen.id, fresh.id, 1, $3 FROM chosen, fresh RETURNING id
)
UPDATE number SET holder_id = fresh.id, reservation_id = history.id, issued_at = $3,
    reserved_until = $5, version = version + 1
FROM chosen, fresh, history WHERE number.id = chosen.id RETURNING number.e164

-- begin_session(key, visitor, now, landing_url)
-- The session alone.
INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at,
    device, landing_url, referrer, source, medium, campaign, term, content, click_ids, shown)
VALUES (1, 1, $1, $2, 1, $3, $3, $3, 'desktop', $4, 'https://www.google.com/', 'google', 'cpc',
    'spring', 'flat', '', '{}', '')
RETURNING id

-- look_for_free()
-- The number that has been free longest, without a lock.
SELECT id, e164 FROM number WHERE pool_id = 1 AND holder_id IS NULL AND withdrawn_at IS NULL
ORDER BY released_at, id LIMIT 1

-- take(number_id, session_id, now, until)
-- Takes it, whoever may have taken it meanwhile.
WITH history AS (
    INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)
    VALUES (1, $1, $2, 1, $3) RETURNING id
)
UPDATE number SET holder_id = $2, reservation_id = history.id, issued_at = $3, reserved_until = $4,
    version = version + 1
FROM history WHERE number.id = $1

-- free_expired(now)
-- What a sweep does.
UPDATE number SET holder_id = NULL, released_at = reserved_until
WHERE holder_id IS NOT NULL AND reserved_until <= $1

-- all_free(moment)
-- Frees every number, but those held for hours, as if its reservation had been over at `moment`.
UPDATE number SET holder_id = NULL, reserved_until = $1, released_at = $1
WHERE holder_id IS NOT NULL AND reserved_until < $1::timestamptz + interval '1 hour'

-- own_index()
-- The other ways look for free numbers alone, and have the index that is best for that.
CREATE INDEX number_longest_idle ON number (pool_id, released_at, id)
    WHERE holder_id IS NULL AND withdrawn_at IS NULL
