-- hand_out(keys, session_ids, organisation_ids, site_ids, visitors, ordinals, devices, landing_urls, referrers, sources, mediums, campaigns, terms, contents, click_ids, number_ids, versions, takes, pool_ids, ends, untils, shown, overflows, now, channels)
-- Serves all visits that waited together: begins or goes on with their sessions, takes or renews their
-- numbers, ends the numbers' earlier reservations, writes history. A visit whose number is not any more as it
-- was read (version, or holder where it is only renewed), or whose session began elsewhere meanwhile, is left
-- out whole and is not in the answer: it is decided again. A visit without `pool_id` is handed out nothing:
-- its page shows a static number, or a default one.
-- Numbers are locked before sessions, both in one order, as in every statement that writes them.
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::integer[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
        $17::bigint[], $18::boolean[], $19::bigint[], $20::text[], $21::timestamptz[], $22::text[], $23::boolean[],
        $25::text[]
    ) AS wanted (
        key, session_id, organisation_id, site_id, visitor, ordinal, device, landing_url, referrer, source,
        medium, campaign, term, content, click_ids, number_id, version, take, pool_id, ends, until, shown,
        overflow, channel
    )
), kept AS MATERIALIZED (
    SELECT number.id, wanted.key, number.reservation_id, number.issued_at, number.reserved_until
    FROM wanted JOIN number ON number.id = wanted.number_id
    WHERE number.withdrawn_at IS NULL AND number.pool_id = wanted.pool_id
      AND NOT wanted.take AND number.holder_id = wanted.session_id
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), taken AS MATERIALIZED (
    -- one that is locked is changing: whoever waited for it would find another version
    SELECT number.id, wanted.key, number.reservation_id, number.issued_at, number.reserved_until
    FROM wanted JOIN number ON number.id = wanted.number_id
    WHERE number.withdrawn_at IS NULL AND number.pool_id = wanted.pool_id
      AND wanted.take AND number.version = wanted.version
      AND (SELECT count(*) FROM kept) >= 0
    FOR NO KEY UPDATE OF number SKIP LOCKED
), got AS MATERIALIZED (
    SELECT * FROM kept UNION ALL SELECT * FROM taken
), possible AS MATERIALIZED (
    SELECT wanted.*, got.id AS got_id, got.reservation_id AS earlier_id,
           CASE wanted.ends WHEN 'expired' THEN got.reserved_until
                ELSE greatest($24, got.issued_at) END AS earlier_ends
    FROM wanted LEFT JOIN got ON got.key = wanted.key
    WHERE wanted.pool_id IS NULL OR got.id IS NOT NULL
), fresh AS (
    INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at, device,
                         landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id,
                         shown, overflow, channel)
    SELECT organisation_id, site_id, key, visitor, ordinal, $24, $24, $24, device, landing_url, referrer, source,
           medium, campaign, term, content, click_ids::jsonb, number_id, shown, overflow,
           channel
    FROM possible WHERE session_id IS NULL ORDER BY visitor
    ON CONFLICT ON CONSTRAINT session_ordinal_once DO NOTHING
    RETURNING id, key
), locked AS MATERIALIZED (
    SELECT session.id FROM possible JOIN session ON session.id = possible.session_id
    WHERE (SELECT count(*) FROM fresh) >= 0
    ORDER BY session.id
    FOR NO KEY UPDATE OF session
), seen AS (
    UPDATE session
    SET seen_at = greatest(session.seen_at, $24), input_at = greatest(session.input_at, $24),
        gone_at = NULL, gone_kind = NULL, number_id = possible.number_id, shown = possible.shown,
        overflow = possible.overflow
    FROM possible, locked
    WHERE session.id = locked.id AND possible.session_id = locked.id
    RETURNING session.id, session.key
), served AS MATERIALIZED (
    SELECT id, key FROM fresh UNION ALL SELECT id, key FROM seen
), ended AS (
    UPDATE reservation
    SET ended_at = greatest(reservation.started_at, possible.earlier_ends), end_reason = possible.ends
    FROM possible JOIN served ON served.key = possible.key
    WHERE possible.take AND reservation.id = possible.earlier_id AND reservation.ended_at IS NULL
), opened AS (
    INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)
    SELECT possible.organisation_id, possible.number_id, served.id, possible.pool_id,
           greatest($24, possible.earlier_ends)
    FROM possible JOIN served ON served.key = possible.key
    WHERE possible.take
    RETURNING id, number_id, session_id, started_at
), held AS (
    UPDATE number
    SET holder_id = served.id,
        reservation_id = coalesce(opened.id, number.reservation_id),
        issued_at = coalesce(opened.started_at, number.issued_at),
        reserved_until = CASE WHEN opened.id IS NULL THEN greatest(number.reserved_until, possible.until)
                              ELSE possible.until END,
        version = number.version + 1
    FROM possible JOIN served ON served.key = possible.key
    LEFT JOIN opened ON opened.number_id = possible.number_id
    WHERE number.id = possible.got_id
)
SELECT key FROM served;
