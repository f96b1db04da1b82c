-- position(organisation_id, ref)
-- Where a call stands in the list.
SELECT arrived_at, id FROM call WHERE organisation_id = $1 AND ref = $2;

-- calls(organisation_id, before_at, before_id, states, most)
-- Calls that arrived before a position of the list, newest first.
SELECT call.ref, call.linkedid, call.did, call.caller, call.caller_region, call.trunk, call.arrived_at, call.state,
       call.outcome, call.route_source,
       coalesce(target.name, regexp_replace(call.target, '^PJSIP/', '')) AS target, call.ringing_at, call.answered_at, call.ended_at, call.ring_ms,
       call.talk_ms, call.hung_up_by, call.hangup_cause, site.name AS site, site.region,
       pool.name AS pool, attribution.method, attribution.level, attribution.confidence,
       attribution.channel, attribution.source, attribution.medium, attribution.campaign, attribution.term,
       attribution.content, session.landing_url,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', recording.id, 'duration_ms', recording.duration_ms,
                                                     'bytes', recording.bytes, 'truncated', recording.truncated)
                                  ORDER BY recording.id), '[]')
        FROM recording WHERE recording.call_id = call.id) AS recordings
FROM call
LEFT JOIN site ON site.id = call.site_id
LEFT JOIN target ON target.id = call.target_id
LEFT JOIN attribution ON attribution.id = call.attribution_id
LEFT JOIN pool ON pool.id = attribution.pool_id
LEFT JOIN session ON session.id = attribution.session_id
WHERE call.organisation_id = $1 AND (call.arrived_at, call.id) < ($2, $3::bigint)
  AND call.state = ANY ($4::text[])
ORDER BY call.arrived_at DESC, call.id DESC
LIMIT $5;

-- call(organisation_id, ref)
-- One call, as in the list, with its id and its session's.
SELECT call.id, attribution.session_id, call.ref, call.linkedid, call.did, call.caller, call.caller_region,
       call.trunk, call.arrived_at, call.state, call.outcome, call.route_source,
       coalesce(target.name, regexp_replace(call.target, '^PJSIP/', '')) AS target, call.ringing_at,
       call.answered_at, call.ended_at, call.ring_ms, call.talk_ms, call.hung_up_by, call.hangup_cause,
       site.name AS site, site.region, pool.name AS pool, attribution.method, attribution.level,
       attribution.confidence, attribution.channel, attribution.source, attribution.medium,
       attribution.campaign, attribution.term, attribution.content, session.landing_url,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', recording.id, 'duration_ms', recording.duration_ms,
                                                     'bytes', recording.bytes, 'truncated', recording.truncated)
                                  ORDER BY recording.id), '[]')
        FROM recording WHERE recording.call_id = call.id) AS recordings
FROM call
LEFT JOIN site ON site.id = call.site_id
LEFT JOIN target ON target.id = call.target_id
LEFT JOIN attribution ON attribution.id = call.attribution_id
LEFT JOIN pool ON pool.id = attribution.pool_id
LEFT JOIN session ON session.id = attribution.session_id
WHERE call.organisation_id = $1 AND call.ref = $2;

-- session(id)
-- The visit that a call is credited to.
SELECT key, visitor, ordinal, started_at, seen_at, gone_at, gone_kind, tapped_at, tapped_number, copied_at,
       device, region, city, landing_url, referrer, channel, source, medium, campaign, term, content, click_ids
FROM session WHERE id = $1;

-- decisions(call_id)
-- Every decision about a call, in the order they were taken.
SELECT attribution.id = call.attribution_id AS in_force, decided_at, model, method, level, confidence,
       channel, source, medium, campaign, term, content, evidence, runners_up, inputs
FROM attribution JOIN call ON call.id = attribution.call_id
WHERE call.id = $1 ORDER BY attribution.id;

-- events(linkedid, most)
-- What Asterisk said of a call, in its order.
SELECT at, kind, uniqueid, data FROM call_event WHERE linkedid = $1 ORDER BY at, kind LIMIT $2;

-- recording(organisation_id, ref, id)
-- Where one recording of one call lies.
SELECT recording.path, recording.bytes, recording.duration_ms
FROM recording JOIN call ON call.id = recording.call_id
WHERE call.organisation_id = $1 AND call.ref = $2 AND recording.id = $3;
