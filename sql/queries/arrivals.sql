-- dialled(numbers, since, until, caller, known_since, trunk, most, linkedid)
-- Everything that decides one call, in one trip: the dialled number (of several readings the first that is
-- ours), its pool, site and targets, and the visits it was handed out to, without those summed up as past;
-- of these the newest `most` (all without): a call waits for no more than that.
WITH dialled AS (
    SELECT id, organisation_id, e164, pool_id, target_id, record
    FROM number WHERE e164 = ANY ($1::text[]) ORDER BY array_position($1::text[], e164) LIMIT 1
), past AS (
    SELECT number_past.* FROM number_past JOIN dialled ON dialled.id = number_id
    WHERE built_at <= $3 AND packed IS NOT NULL
), holding AS (
    (SELECT reservation.session_id, reservation.started_at, reservation.changed_at
     FROM dialled JOIN reservation ON reservation.number_id = dialled.id
     WHERE reservation.started_at > greatest($2::timestamptz, (SELECT built_at FROM past))
       AND reservation.started_at <= $3
     ORDER BY reservation.started_at DESC LIMIT $7)
    UNION ALL
    SELECT reservation.session_id, reservation.started_at, reservation.changed_at
    FROM past CROSS JOIN unnest(past.unsettled) AS unsettled (id)
    JOIN reservation ON reservation.session_id = unsettled.id AND reservation.number_id = past.number_id
    WHERE reservation.started_at > $2 AND reservation.started_at <= past.built_at
), handed AS (
    SELECT session_id, max(started_at) AS handed_at, max(changed_at) AS changed_at
    FROM holding GROUP BY session_id
), shown AS (
    SELECT array_agg(session.id) AS ids,
           array_agg(session.started_at) AS started_at,
           array_agg(session.seen_at) AS seen_at,
           array_agg(session.input_at) AS input_at,
           array_agg(session.gone_at) AS gone_at,
           array_agg(session.gone_kind) AS gone_kind,
           array_agg(CASE WHEN session.tapped_number IS NULL OR session.tapped_number = dialled.e164
                          THEN session.tapped_at END) AS tapped_at,
           array_agg(session.device) AS device,
           array_agg(session.region) AS region,
           array_agg(session.called) AS called,
           array_agg(session.channel) AS channel,
           array_agg(session.source) AS source,
           array_agg(session.medium) AS medium,
           array_agg(session.campaign) AS campaign,
           array_agg(handed.handed_at) AS handed_at,
           -- one that was handed the number again has its page show it again
           array_agg(CASE WHEN handed.changed_at >= handed.handed_at THEN handed.changed_at END) AS changed_at
    FROM dialled CROSS JOIN handed JOIN session ON session.id = handed.session_id
)
SELECT dialled.id AS number_id, dialled.e164, pool.id AS pool_id, pool.kind AS pool_kind, site.id AS site_id,
       coalesce(dialled.organisation_id, (SELECT organisation_id FROM trunk WHERE name = $6),
                (SELECT min(id) FROM organisation HAVING count(*) = 1)) AS organisation_id,
       pool.source AS pool_source, pool.medium AS pool_medium, pool.campaign AS pool_campaign,
       pool.channel AS pool_channel,
       coalesce(dialled.record, pool.record, true) AS record,
       (SELECT jsonb_agg(to_jsonb(target) || jsonb_build_object('trunk', trunk.name,
                 'ours', EXISTS (SELECT FROM number WHERE number.e164 = target.e164)) ORDER BY wanted.place)
        FROM unnest(ARRAY[dialled.target_id, pool.target_id, site.target_id])
             WITH ORDINALITY AS wanted (id, place)
        JOIN target ON target.id = wanted.id LEFT JOIN trunk ON trunk.id = target.trunk_id) AS targets,
       -- caller <> '' once more: a plan kept for any caller could not use the index of known ones without it
       $4 <> '' AND EXISTS (SELECT FROM call WHERE call.caller = $4 AND call.caller <> ''
                            AND call.arrived_at > $5 AND call.arrived_at < $3
                            -- the row of this very call is there, and by Asterisk's clock, not by ours
                            AND call.linkedid <> $8) AS known_caller,
       (SELECT array_agg(started_at) FROM outage WHERE ended_at > $3 - interval '1 day'
                                                   AND started_at <= $3) AS outages_from,
       (SELECT array_agg(ended_at) FROM outage WHERE ended_at > $3 - interval '1 day'
                                                 AND started_at <= $3) AS outages_to,
       past.built_at AS past_built_at, past.packed AS past_packed, past.kinds AS past_kinds,
       shown.*
FROM (VALUES (1)) AS always
LEFT JOIN dialled ON true
LEFT JOIN past ON true
LEFT JOIN pool ON pool.id = dialled.pool_id
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN shown ON true;

-- dialled_together(numbers, sinces, untils, callers, known_sinces, trunks, most, linkedids)
-- `dialled` for several calls that came together, in their order; each one's numbers are divided by blanks.
SELECT looked.*
FROM (SELECT string_to_array(numbers, ' ') AS numbers, since, until, caller, known_since, trunk, linkedid, place
      -- sub-selects hide how long the arrays are: seeing it, PostgreSQL would plan anew for every batch
      FROM unnest((SELECT $1::text[]), (SELECT $2::timestamptz[]), (SELECT $3::timestamptz[]), (SELECT $4::text[]),
                  (SELECT $5::timestamptz[]), (SELECT $6::text[]), (SELECT $8::text[]))
           WITH ORDINALITY AS asked (numbers, since, until, caller, known_since, trunk, linkedid, place)) AS asked
CROSS JOIN LATERAL (
    WITH dialled AS (
        SELECT id, organisation_id, e164, pool_id, target_id, record
        FROM number WHERE e164 = ANY (asked.numbers) ORDER BY array_position(asked.numbers, e164) LIMIT 1
    ), past AS (
        SELECT number_past.* FROM number_past JOIN dialled ON dialled.id = number_id
        WHERE built_at <= asked.until AND packed IS NOT NULL
    ), holding AS (
        (SELECT reservation.session_id, reservation.started_at, reservation.changed_at
         FROM dialled JOIN reservation ON reservation.number_id = dialled.id
         WHERE reservation.started_at > greatest(asked.since, (SELECT built_at FROM past))
           AND reservation.started_at <= asked.until
         ORDER BY reservation.started_at DESC LIMIT $7)
        UNION ALL
        SELECT reservation.session_id, reservation.started_at, reservation.changed_at
        FROM past CROSS JOIN unnest(past.unsettled) AS unsettled (id)
        JOIN reservation ON reservation.session_id = unsettled.id AND reservation.number_id = past.number_id
        WHERE reservation.started_at > asked.since AND reservation.started_at <= past.built_at
    ), handed AS (
        SELECT session_id, max(started_at) AS handed_at, max(changed_at) AS changed_at
        FROM holding GROUP BY session_id
    ), shown AS (
        SELECT array_agg(session.id) AS ids,
               array_agg(session.started_at) AS started_at,
               array_agg(session.seen_at) AS seen_at,
               array_agg(session.input_at) AS input_at,
               array_agg(session.gone_at) AS gone_at,
               array_agg(session.gone_kind) AS gone_kind,
               array_agg(CASE WHEN session.tapped_number IS NULL OR session.tapped_number = dialled.e164
                              THEN session.tapped_at END) AS tapped_at,
               array_agg(session.device) AS device,
           array_agg(session.region) AS region,
               array_agg(session.called) AS called,
               array_agg(session.channel) AS channel,
               array_agg(session.source) AS source,
               array_agg(session.medium) AS medium,
               array_agg(session.campaign) AS campaign,
               array_agg(handed.handed_at) AS handed_at,
               -- one that was handed the number again has its page show it again
           array_agg(CASE WHEN handed.changed_at >= handed.handed_at THEN handed.changed_at END) AS changed_at
        FROM dialled CROSS JOIN handed JOIN session ON session.id = handed.session_id
    )
    SELECT dialled.id AS number_id, dialled.e164, pool.id AS pool_id, pool.kind AS pool_kind, site.id AS site_id,
           coalesce(dialled.organisation_id, (SELECT organisation_id FROM trunk WHERE name = asked.trunk),
                    (SELECT min(id) FROM organisation HAVING count(*) = 1)) AS organisation_id,
           pool.source AS pool_source, pool.medium AS pool_medium, pool.campaign AS pool_campaign,
           pool.channel AS pool_channel,
           coalesce(dialled.record, pool.record, true) AS record,
           (SELECT jsonb_agg(to_jsonb(target) || jsonb_build_object('trunk', trunk.name,
                     'ours', EXISTS (SELECT FROM number WHERE number.e164 = target.e164)) ORDER BY wanted.place)
            FROM unnest(ARRAY[dialled.target_id, pool.target_id, site.target_id])
                 WITH ORDINALITY AS wanted (id, place)
            JOIN target ON target.id = wanted.id LEFT JOIN trunk ON trunk.id = target.trunk_id) AS targets,
           asked.caller <> '' AND EXISTS (SELECT FROM call WHERE call.caller = asked.caller AND call.caller <> ''
                                AND call.arrived_at > asked.known_since AND call.arrived_at < asked.until
                                AND call.linkedid <> asked.linkedid) AS known_caller,
           (SELECT array_agg(started_at) FROM outage WHERE ended_at > asked.until - interval '1 day'
                                                       AND started_at <= asked.until) AS outages_from,
           (SELECT array_agg(ended_at) FROM outage WHERE ended_at > asked.until - interval '1 day'
                                                     AND started_at <= asked.until) AS outages_to,
           past.built_at AS past_built_at, past.packed AS past_packed, past.kinds AS past_kinds,
           shown.*
    FROM (VALUES (1)) AS always
    LEFT JOIN dialled ON true
    LEFT JOIN past ON true
    LEFT JOIN pool ON pool.id = dialled.pool_id
    LEFT JOIN site ON site.id = pool.site_id
    LEFT JOIN shown ON true
) AS looked
ORDER BY asked.place;

-- default_number(numbers, since, until, most)
-- The channel, source, pool or site whose default number was dialled, and the visits that were shown it, newest
-- first.
WITH owner AS (
    -- of several numbers on its pages the one that was dialled: a visit that got none in its place saw that
    SELECT coalesce((SELECT dialled FROM unnest($1::text[]) AS dialled WHERE dialled = ANY (site.page_numbers)
                     LIMIT 1), site.default_number) AS e164, site.id AS site_id, site.organisation_id, NULL::bigint AS pool_id,
           NULL AS source, NULL AS medium, NULL AS campaign, NULL AS channel, NULL::bigint AS target_id,
           site.target_id AS site_target_id, true AS record, 2 AS place
    FROM site WHERE site.default_number = ANY ($1::text[]) OR site.page_numbers && $1::text[]
    UNION ALL
    SELECT pool.default_number, site.id, site.organisation_id, pool.id, pool.source, pool.medium, pool.campaign,
           pool.channel, pool.target_id, site.target_id, pool.record, 1
    FROM pool JOIN site ON site.id = pool.site_id WHERE pool.default_number = ANY ($1::text[])
    UNION ALL
    SELECT own.e164, site.id, site.organisation_id, NULL, own.source, NULL, NULL, own.channel, NULL,
           site.target_id, true, 0
    FROM default_number AS own JOIN site ON site.id = own.site_id WHERE own.e164 = ANY ($1::text[])
    ORDER BY place, pool_id, site_id LIMIT 1
), handed AS (
    SELECT session.* FROM owner JOIN session ON session.shown = owner.e164 AND session.number_id IS NULL
    WHERE session.started_at > $2 AND session.started_at <= $3
    ORDER BY session.started_at DESC LIMIT $4
), shown AS (
    SELECT array_agg(id) AS ids, array_agg(started_at) AS started_at, array_agg(seen_at) AS seen_at,
           array_agg(input_at) AS input_at, array_agg(gone_at) AS gone_at,
           array_agg(gone_kind) AS gone_kind, array_agg(tapped_at) AS tapped_at,
           array_agg(device) AS device, array_agg(region) AS region, array_agg(called) AS called, array_agg(channel) AS channel,
           array_agg(source) AS source, array_agg(medium) AS medium, array_agg(campaign) AS campaign,
           array_agg(started_at) AS handed_at, array_agg(NULL::timestamptz) AS changed_at
    FROM handed
)
SELECT owner.e164, owner.site_id, owner.organisation_id, owner.pool_id, owner.source AS pool_source,
       owner.medium AS pool_medium, owner.campaign AS pool_campaign, owner.channel AS pool_channel,
       owner.record,
       (SELECT jsonb_agg(to_jsonb(target) || jsonb_build_object('trunk', trunk.name,
                 'ours', EXISTS (SELECT FROM number WHERE number.e164 = target.e164)) ORDER BY wanted.place)
        FROM unnest(ARRAY[owner.target_id, owner.site_target_id]) WITH ORDINALITY AS wanted (id, place)
        JOIN target ON target.id = wanted.id LEFT JOIN trunk ON trunk.id = target.trunk_id) AS targets,
       shown.*
FROM owner LEFT JOIN shown ON true;

-- note(ref, linkedid, did, caller, trunk, arrived_at, now)
-- The row of a call that has just come, before anybody knows whose it is. One known already does not come back,
-- and without a linkedid nothing is written.
INSERT INTO call (ref, linkedid, did, caller, trunk, arrived_at, state, created_at)
SELECT $1, $2, $3, $4, $5, $6, 'arrived', $7 WHERE $2 <> '' ON CONFLICT (linkedid) DO NOTHING RETURNING ref;

-- note_together(refs, linkedids, dids, callers, trunks, arrived_ats, nows)
-- `note` for several calls that came together.
INSERT INTO call (ref, linkedid, did, caller, trunk, arrived_at, state, created_at)
SELECT ref, linkedid, did, caller, trunk, arrived_at, 'arrived', now
FROM unnest((SELECT $1::text[]), (SELECT $2::text[]), (SELECT $3::text[]), (SELECT $4::text[]), (SELECT $5::text[]),
            (SELECT $6::timestamptz[]), (SELECT $7::timestamptz[]))
     AS told (ref, linkedid, did, caller, trunk, arrived_at, now)
ON CONFLICT (linkedid) DO NOTHING RETURNING ref;

-- credit(calls, called_places, called_ids, called_shares)
-- What calls were answered by: their attributions and targets, in one commit. Those come back that had none yet.
WITH asked AS MATERIALIZED (
    -- one value, not an array for each column: a lone call pays for every one of them
    SELECT * FROM json_to_recordset($1::json) AS asked (
        place bigint, linkedid text, organisation_id bigint, site_id bigint, number_id bigint, did text,
        target_id bigint, target text, now timestamptz, model text,
        method text, level text, confidence float8, session_id bigint, pool_id bigint, source text, medium text,
        campaign text, channel text, evidence jsonb, runners_up jsonb, inputs jsonb)
), held AS MATERIALIZED (
    SELECT call.id, asked.place FROM asked JOIN call ON call.linkedid = asked.linkedid
    WHERE call.attribution_id IS NULL ORDER BY call.id FOR UPDATE OF call
), callers AS MATERIALIZED (
    SELECT session.id, share.p
    FROM (SELECT told.id, sum(told.p) AS p
          FROM unnest((SELECT $2::bigint[]), (SELECT $3::bigint[]), (SELECT $4::float8[])) AS told (place, id, p)
          JOIN held ON held.place = told.place
          GROUP BY told.id) AS share
    JOIN session ON session.id = share.id
    ORDER BY session.id FOR NO KEY UPDATE OF session
), told AS (
    UPDATE session SET called = least(1, session.called + callers.p)
    FROM callers WHERE session.id = callers.id
), decided AS (
    INSERT INTO attribution (call_id, decided_at, model, method, level, confidence, session_id, pool_id, source,
                             medium, campaign, channel, term, content, evidence, runners_up, inputs)
    SELECT held.id, asked.now, asked.model, asked.method, asked.level, asked.confidence,
           asked.session_id, asked.pool_id, asked.source, asked.medium, asked.campaign, asked.channel, session.term,
           session.content, asked.evidence, asked.runners_up, asked.inputs
    FROM held JOIN asked ON asked.place = held.place LEFT JOIN session ON session.id = asked.session_id
    RETURNING id, call_id
)
UPDATE call SET
    attribution_id = decided.id, organisation_id = asked.organisation_id, site_id = asked.site_id,
    number_id = asked.number_id, did = asked.did, caller_region = asked.inputs ->> 'caller_region',
    -- Asterisk may have said by now that it took a route of its own
    route_source = coalesce(call.route_source, 'router'),
    target_id = CASE WHEN call.route_source IS NULL THEN asked.target_id ELSE call.target_id END,
    target = CASE WHEN call.route_source IS NULL THEN asked.target ELSE call.target END
FROM decided JOIN held ON held.id = decided.call_id JOIN asked ON asked.place = held.place
WHERE call.id = decided.call_id
RETURNING call.linkedid;

-- attribute(call_id, organisation_id, site_id, number_id, did, now, model, method, level, confidence, session_id, pool_id, source, medium, campaign, evidence, runners_up, inputs, called_ids, called_shares, again, channel)
-- A decision about a call that has none, or (again) a new one beside the old; the call points to it.
WITH held AS (
    SELECT id FROM call WHERE id = $1 AND (attribution_id IS NULL OR $21) FOR UPDATE
), decided AS (
    INSERT INTO attribution (call_id, decided_at, model, method, level, confidence, session_id, pool_id, source,
                             medium, campaign, channel, term, content, evidence, runners_up, inputs)
    SELECT held.id, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $22, session.term, session.content, $16, $17, $18
    FROM held LEFT JOIN session ON session.id = $11
    RETURNING id, call_id
), callers AS MATERIALIZED (
    SELECT session.id, share.p FROM unnest($19::bigint[], $20::float8[]) AS share (id, p)
    JOIN session ON session.id = share.id
    WHERE EXISTS (SELECT FROM decided)
    ORDER BY session.id FOR NO KEY UPDATE OF session
), told AS (
    UPDATE session SET called = least(1, session.called + callers.p)
    FROM callers WHERE session.id = callers.id
)
UPDATE call SET attribution_id = decided.id, organisation_id = coalesce(call.organisation_id, $2),
                site_id = coalesce(call.site_id, $3), number_id = coalesce(call.number_id, $4), did = $5,
                caller_region = $18 ->> 'caller_region'
FROM decided WHERE call.id = decided.call_id
RETURNING decided.id;

-- begin_past(number_id, built_at)
-- From now on a visit of the number that speaks again changes the version.
INSERT INTO number_past (number_id, built_at) VALUES ($1, $2)
ON CONFLICT (number_id) DO UPDATE
SET built_at = $2, version = number_past.version + 1, packed = NULL, kinds = NULL, unsettled = NULL
RETURNING version;

-- keep_past(number_id, version, packed, kinds, unsettled)
-- Visits long gone of one number, summed up, unless one of them spoke while it was done.
UPDATE number_past SET packed = $3, kinds = $4, unsettled = $5 WHERE number_id = $1 AND version = $2
RETURNING number_id;

-- lacking_past(most)
-- Numbers whose past visits are to be summed up again.
SELECT number.id, number.e164 FROM number_past JOIN number ON number.id = number_past.number_id
WHERE number_past.packed IS NULL LIMIT $1;
