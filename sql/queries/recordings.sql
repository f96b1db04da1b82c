-- unheard(ended_before, most)
-- Answered calls that have ended and whose recordings have not been looked for; `wanted`: it is set that
-- calls to their number are recorded.
SELECT call.id, call.ref, call.linkedid, call.organisation_id, call.arrived_at, call.ended_at, call.talk_ms,
       coalesce(number.record, pool.record, true) AS wanted
FROM call LEFT JOIN number ON number.id = call.number_id LEFT JOIN pool ON pool.id = number.pool_id
WHERE call.answered_at IS NOT NULL AND call.recordings_at IS NULL AND call.ended_at < $1
  AND call.state = 'ended'
ORDER BY call.ended_at LIMIT $2;

-- add(call_id, path, bytes, duration_ms, truncated, now)
-- One recording of a call; found again it is measured again.
INSERT INTO recording (call_id, path, bytes, duration_ms, truncated, found_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT recording_once DO UPDATE SET bytes = $3, duration_ms = $4, truncated = $5;

-- looked(call_id, now)
-- The recordings of this call have been looked for.
UPDATE call SET recordings_at = $2 WHERE id = $1;
