-- unheard(ended_before, most)
-- Answered calls that have ended and whose recordings have not been looked for.
SELECT id, ref, linkedid, organisation_id, arrived_at, ended_at, talk_ms FROM call
WHERE answered_at IS NOT NULL AND recordings_at IS NULL AND ended_at < $1 AND state = 'ended'
ORDER BY ended_at LIMIT $2;

-- add(call_id, path, bytes, duration_ms, truncated, now)
-- One recording of a call; found again it is measured again.
INSERT INTO recording (call_id, path, bytes, duration_ms, truncated, found_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT recording_once DO UPDATE SET bytes = $3, duration_ms = $4, truncated = $5;

-- looked(call_id, now)
-- The recordings of this call have been looked for.
UPDATE call SET recordings_at = $2 WHERE id = $1;
