-- create(ref, linkedid, did, caller, trunk, arrived_at, now)
-- The row of a call that was only heard of, not asked about. No row comes back if it is known already.
INSERT INTO call (ref, linkedid, did, caller, trunk, arrived_at, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'arrived', $7) ON CONFLICT (linkedid) DO NOTHING RETURNING id;

-- known(linkedid)
-- What is on record of one call.
SELECT id, ref, attribution_id FROM call WHERE linkedid = $1;

-- add_events(linkedids, digests, ats, kinds, uniqueids, data)
-- What Asterisk said; what is known already is passed over.
INSERT INTO call_event (linkedid, digest, at, kind, uniqueid, data)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[])
ON CONFLICT DO NOTHING;

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

-- update(id, arrived_at, state, outcome, route_source, target, ringing_at, answered_at, ended_at, ring_ms, talk_ms, hung_up_by, hangup_cause, sip_call_id, events)
-- What the events say of a call now, unless the row knows more already; returns its state until then. Where
-- Asterisk took a record of its own, the target is that one's.
WITH was AS (SELECT state FROM call WHERE id = $1 AND events <= $15 FOR UPDATE)
UPDATE call SET
    arrived_at = coalesce($2, arrived_at), state = $3, outcome = $4, route_source = coalesce($5, route_source),
    target_id = CASE WHEN $6::text IS NULL OR $6 = target THEN target_id ELSE
        (SELECT found.id FROM target AS found LEFT JOIN trunk ON trunk.id = found.trunk_id
         WHERE found.organisation_id = call.organisation_id
           AND $6 = 'PJSIP/' || coalesce(found.endpoint, found.e164 || '@' || trunk.name)
         ORDER BY found.id LIMIT 1) END,
    target = coalesce($6, target), ringing_at = $7, answered_at = $8, ended_at = $9, ring_ms = $10, talk_ms = $11,
    hung_up_by = $12, hangup_cause = $13, sip_call_id = coalesce($14, sip_call_id), events = $15
FROM was WHERE call.id = $1
RETURNING was.state;

-- unfinished(before)
-- Calls that arrived before a moment and have not ended.
SELECT linkedid FROM call WHERE state <> 'ended' AND arrived_at < $1 ORDER BY linkedid;

-- cel_position(host)
-- How far a host's file has been read.
SELECT inode, read_bytes FROM cel_position WHERE host = $1;

-- move_cel_position(host, inode, read_bytes, now)
-- The file has been read so far.
INSERT INTO cel_position (host, inode, read_bytes, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (host) DO UPDATE SET inode = $2, read_bytes = $3, updated_at = $4;

-- database_time()
-- The server's clock, to be compared with ours.
SELECT clock_timestamp();
