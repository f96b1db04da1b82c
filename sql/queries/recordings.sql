-- unheard(ended_before, most)
-- Answered calls that have ended and whose recordings have not been looked for; `wanted`: it is set that
-- calls to their number are recorded.
SELECT call.id, call.ref, call.linkedid, call.organisation_id, call.arrived_at, call.ended_at, call.talk_ms,
       coalesce(number.record, pool.record, true) AS wanted
FROM call LEFT JOIN number ON number.id = call.number_id LEFT JOIN pool ON pool.id = number.pool_id
WHERE call.answered_at IS NOT NULL AND call.recordings_at IS NULL AND call.ended_at < $1
  AND call.state = 'ended'
ORDER BY call.ended_at LIMIT $2;

-- link(call_id, paths, sizes, durations_ms, truncated, now)
-- The recordings of a call, which have been looked for now; found again they are measured again.
WITH linked AS (
    INSERT INTO recording (call_id, path, bytes, duration_ms, truncated, found_at)
    SELECT $1, path, size, duration_ms, truncated, $6
    FROM unnest((SELECT $2::text[]), (SELECT $3::bigint[]), (SELECT $4::bigint[]), (SELECT $5::boolean[]))
         AS found (path, size, duration_ms, truncated)
    ON CONFLICT ON CONSTRAINT recording_once DO UPDATE
    SET bytes = excluded.bytes, duration_ms = excluded.duration_ms, truncated = excluded.truncated
)
UPDATE call SET recordings_at = $6 WHERE id = $1;
