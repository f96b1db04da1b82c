-- begin(organisation_id, key, digest, now)
-- This request is the first of its key within a day. Whoever sends the same key meanwhile waits here for the
-- end of our transaction.
INSERT INTO kept_answer (organisation_id, key, digest, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation_id, key) DO UPDATE
SET digest = $3, created_at = $4, status = NULL, body = NULL, etag = NULL
WHERE kept_answer.created_at < $4 - interval '1 day'
RETURNING true;

-- kept(organisation_id, key)
-- What was answered then, to what.
SELECT digest, status, body, etag FROM kept_answer WHERE organisation_id = $1 AND key = $2;

-- keep(organisation_id, key, status, body, etag)
-- What is answered now.
UPDATE kept_answer SET status = $3, body = $4, etag = $5 WHERE organisation_id = $1 AND key = $2;

-- drop_old(now)
-- Nobody repeats a request of the day before.
DELETE FROM kept_answer WHERE (organisation_id, key) IN (
    SELECT organisation_id, key FROM kept_answer WHERE created_at < $1::timestamptz - interval '1 day'
    ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED
);
