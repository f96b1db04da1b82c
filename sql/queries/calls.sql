-- create(ref, linkedid, did, caller, trunk, arrived_at, now)
-- The row of a call that was only heard of, not asked about. No row comes back if it is known already.
INSERT INTO call (ref, linkedid, did, caller, trunk, arrived_at, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'arrived', $7) ON CONFLICT (linkedid) DO NOTHING RETURNING id;

-- known(linkedid)
-- Our reference of one call.
SELECT ref FROM call WHERE linkedid = $1;

-- hear(linkedids, digests, ats, kinds, uniqueids, data, calls)
-- Stores what Asterisk said, passing over what is known; returns the calls as `told` does, as they were before.
WITH added AS (
    INSERT INTO call_event (linkedid, digest, at, kind, uniqueid, data)
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[])
    ON CONFLICT DO NOTHING
)
SELECT asked.linkedid, call.id, call.ref, call.organisation_id, call.did, call.caller, call.trunk, call.arrived_at,
       call.state, call.attribution_id, attribution.method, attribution.level, attribution.confidence,
       site.name AS site, said.digests, said.ats, said.kinds, said.uniqueids, said.data
FROM unnest((SELECT $7::text[])) AS asked (linkedid)
LEFT JOIN call ON call.linkedid = asked.linkedid
LEFT JOIN attribution ON attribution.id = call.attribution_id
LEFT JOIN site ON site.id = call.site_id
LEFT JOIN LATERAL (
    SELECT array_agg(digest) AS digests, array_agg(at) AS ats, array_agg(kind) AS kinds,
           array_agg(uniqueid) AS uniqueids, array_agg(data) AS data
    FROM call_event WHERE call_event.linkedid = asked.linkedid
) AS said ON true
ORDER BY asked.linkedid;

-- told(linkedids)
-- Calls with everything that was said of them; `id` is null where there is no row yet.
SELECT asked.linkedid, call.id, call.ref, call.organisation_id, call.did, call.caller, call.trunk, call.arrived_at,
       call.state, call.attribution_id, attribution.method, attribution.level, attribution.confidence,
       site.name AS site, said.digests, said.ats, said.kinds, said.uniqueids, said.data
FROM unnest($1::text[]) AS asked (linkedid)
LEFT JOIN call ON call.linkedid = asked.linkedid
LEFT JOIN attribution ON attribution.id = call.attribution_id
LEFT JOIN site ON site.id = call.site_id
LEFT JOIN LATERAL (
    SELECT array_agg(digest) AS digests, array_agg(at) AS ats, array_agg(kind) AS kinds,
           array_agg(uniqueid) AS uniqueids, array_agg(data) AS data
    FROM call_event WHERE call_event.linkedid = asked.linkedid
) AS said ON true
ORDER BY asked.linkedid;

-- update(id, arrived_at, state, outcome, route_source, target, ringing_at, answered_at, ended_at, ring_ms, talk_ms, hung_up_by, hangup_cause, sip_call_id, events, host, inode, head, read_bytes, now)
-- What the events say of calls now, unless a row knows more already; returns each one's state until then, and how
-- many events there are. With a host, how far its file has been read moves in the same commit. Where Asterisk took
-- a record of its own, the target is that one's.
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(
        (SELECT $1::bigint[]), (SELECT $2::timestamptz[]), (SELECT $3::text[]), (SELECT $4::text[]),
        (SELECT $5::text[]), (SELECT $6::text[]), (SELECT $7::timestamptz[]), (SELECT $8::timestamptz[]),
        (SELECT $9::timestamptz[]), (SELECT $10::integer[]), (SELECT $11::integer[]), (SELECT $12::text[]),
        (SELECT $13::integer[]), (SELECT $14::text[]), (SELECT $15::integer[])
    ) AS told (id, arrived_at, state, outcome, route_source, target, ringing_at, answered_at, ended_at, ring_ms,
               talk_ms, hung_up_by, hangup_cause, sip_call_id, events)
), was AS MATERIALIZED (
    SELECT call.id, call.state FROM told JOIN call ON call.id = told.id
    WHERE call.events <= told.events ORDER BY call.id FOR UPDATE OF call
), moved AS (
    INSERT INTO cel_position (host, inode, head, read_bytes, updated_at)
    SELECT $16, $17, $18, $19, $20 WHERE $16::text IS NOT NULL
    ON CONFLICT (host) DO UPDATE SET inode = $17, head = $18, read_bytes = $19, updated_at = $20
)
UPDATE call SET
    arrived_at = coalesce(told.arrived_at, call.arrived_at), state = told.state, outcome = told.outcome,
    route_source = coalesce(told.route_source, call.route_source),
    target_id = CASE WHEN told.target IS NULL OR told.target = call.target THEN call.target_id ELSE
        (SELECT found.id FROM target AS found LEFT JOIN trunk ON trunk.id = found.trunk_id
         WHERE found.organisation_id = call.organisation_id
           AND told.target = 'PJSIP/' || coalesce(found.endpoint, found.e164 || '@' || trunk.name)
         ORDER BY found.id LIMIT 1) END,
    target = coalesce(told.target, call.target), ringing_at = told.ringing_at, answered_at = told.answered_at,
    ended_at = told.ended_at, ring_ms = told.ring_ms, talk_ms = told.talk_ms, hung_up_by = told.hung_up_by,
    hangup_cause = told.hangup_cause, sip_call_id = coalesce(told.sip_call_id, call.sip_call_id), events = told.events
FROM was JOIN told ON told.id = was.id
WHERE call.id = was.id
RETURNING call.id, was.state,
          (SELECT count(*) FROM call_event WHERE call_event.linkedid = call.linkedid) AS said;

-- unfinished(before)
-- Calls that arrived before a moment and have not ended.
SELECT linkedid FROM call WHERE state <> 'ended' AND arrived_at < $1 ORDER BY linkedid;

-- cel_position(host)
-- How far a host's file has been read, and which file that is.
SELECT inode, head, read_bytes FROM cel_position WHERE host = $1;

-- move_cel_position(host, inode, head, read_bytes, now)
-- The file has been read so far.
INSERT INTO cel_position (host, inode, head, read_bytes, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (host) DO UPDATE SET inode = $2, head = $3, read_bytes = $4, updated_at = $5;

-- database_time()
-- The server's clock, to be compared with ours.
SELECT clock_timestamp();
