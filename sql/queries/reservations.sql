-- hand_out(visits, now)
-- Serves all visits that waited together: begins or goes on with their sessions, takes or renews their
-- numbers, ends the numbers' earlier reservations, writes history. A visit whose number is not any more as it
-- was read (version, or holder where it is only renewed), or whose session began elsewhere meanwhile, is left
-- out whole and is not in the answer: it is decided again. A visit without `pool_id` is handed out nothing:
-- its page shows a static number, or a default one, or goes on showing one that is another's.
-- Numbers are locked before sessions, both in one order, as in every statement that writes them.
WITH wanted AS MATERIALIZED (
    -- one value, not an array for each column: a batch of few visits pays for every one of them
    SELECT * FROM json_to_recordset($1::text::json) AS wanted (
        key uuid, session_id bigint, organisation_id bigint, site_id bigint, visitor uuid, ordinal integer,
        device text, landing_url text, referrer text, source text, medium text, campaign text, term text,
        content text, click_ids text, channel text, region text, city text, rate float8, number_id bigint,
        version bigint, take boolean, pool_id bigint, ends text, until timestamptz, shown text, overflow boolean,
        shared boolean, reopen boolean, moved_from bigint, left_number bigint, victim bigint, campaign_key text,
        ring_size integer, masses text, bound_to text, served_by bigint
    )
    -- always so: said to have few rows expected, each of which is then looked for by key. Of a JSON value 100
    -- are, and while there are few numbers it seems cheaper to read them all.
    WHERE ordinal + 0 = ordinal
), kept AS MATERIALIZED (
    SELECT number.id, wanted.key, number.reservation_id, number.issued_at, number.reserved_until
    FROM wanted JOIN number ON number.id = wanted.number_id
    WHERE number.withdrawn_at IS NULL AND number.pool_id = wanted.pool_id
      AND NOT wanted.take
      AND (number.holder_id = wanted.session_id
           OR (number.holder_id IS NOT NULL AND number.bound_to = wanted.bound_to))
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), taken AS MATERIALIZED (
    -- one that is locked is changing: whoever waited for it would find another version
    SELECT number.id, wanted.key, number.reservation_id, number.issued_at, number.reserved_until
    FROM wanted JOIN number ON number.id = wanted.number_id
    WHERE number.withdrawn_at IS NULL AND number.pool_id = wanted.pool_id
      AND wanted.take
      -- its own combination may have it whatever happened to it meanwhile
      AND (number.version = wanted.version OR number.bound_to = wanted.bound_to)
      AND (SELECT count(*) FROM kept) >= 0
    FOR NO KEY UPDATE OF number SKIP LOCKED
), got AS MATERIALIZED (
    SELECT * FROM kept UNION ALL SELECT * FROM taken
), possible AS MATERIALIZED (
    SELECT wanted.*, got.id AS got_id, got.reservation_id AS earlier_id,
           -- nobody else has held it since: the reservation goes on as if it had not run out
           wanted.take AND wanted.reopen AND got.reservation_id IS NOT NULL AS reopened,
           -- one that was swept free is, although the clock was set back since to before its end
           CASE wanted.ends WHEN 'expired' THEN least(got.reserved_until, greatest($2, got.issued_at))
                ELSE greatest($2, got.issued_at) END AS earlier_ends
    FROM wanted LEFT JOIN got ON got.key = wanted.key
    WHERE wanted.pool_id IS NULL OR got.id IS NOT NULL
), fresh AS (
    INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at, device,
                         landing_url, referrer, source, medium, campaign, term, content, click_ids, channel,
                         region, city, rate, number_id, shown, overflow, bound_to, pool_id, found_free)
    SELECT organisation_id, site_id, key, visitor, ordinal, $2, $2, $2, device, landing_url, referrer, source,
           medium, campaign, term, content, click_ids::jsonb, channel, region, city, rate, number_id, shown,
           overflow, bound_to, served_by, NOT (overflow OR shared)
    FROM possible WHERE session_id IS NULL ORDER BY visitor
    ON CONFLICT ON CONSTRAINT session_ordinal_once DO NOTHING
    RETURNING id, key
), touched AS (
    SELECT session_id AS id FROM possible WHERE session_id IS NOT NULL
    UNION
    SELECT victim FROM possible WHERE victim IS NOT NULL
    UNION
    SELECT earlier.id FROM possible JOIN session AS earlier USING (site_id, visitor)
    WHERE possible.moved_from IN (earlier.id, earlier.moved_to)
), locked AS MATERIALIZED (
    SELECT session.id FROM touched JOIN session ON session.id = touched.id
    WHERE (SELECT count(*) FROM fresh) >= 0
    ORDER BY session.id
    FOR NO KEY UPDATE OF session
), seen AS (
    UPDATE session
    SET seen_at = greatest(session.seen_at, $2), input_at = greatest(session.input_at, $2),
        gone_at = NULL, gone_kind = NULL, number_id = possible.number_id, shown = possible.shown,
        overflow = possible.overflow, bound_to = possible.bound_to,
        counted_until = counted_until(session, $2)
    FROM possible, locked
    WHERE session.id = locked.id AND possible.session_id = locked.id
    RETURNING session.id, session.key
), served AS MATERIALIZED (
    SELECT id, key FROM fresh UNION ALL SELECT id, key FROM seen
), done AS MATERIALIZED (
    SELECT possible.*, served.id AS served_id FROM possible JOIN served ON served.key = possible.key
), moved AS (
    -- an earlier session of the visitor is gone now, and its pages speak for this one
    UPDATE session
    SET moved_to = done.served_id,
        gone_at = CASE WHEN session.gone_at IS NULL AND session.seen_at + interval '75 s' > $2
                       THEN $2 ELSE session.gone_at END,
        gone_kind = CASE WHEN session.gone_at IS NULL AND session.seen_at + interval '75 s' > $2
                         THEN 'hide' ELSE session.gone_kind END
    FROM done, locked
    WHERE session.id = locked.id AND session.site_id = done.site_id AND session.visitor = done.visitor
      AND done.moved_from IN (session.id, session.moved_to)
), fallen_back AS (
    -- their pages show the default number from now on
    UPDATE session
    SET number_id = NULL, overflow = true,
        shown = coalesce((SELECT e164 FROM page_number WHERE pool_id = done.pool_id),
                         (SELECT own.e164 FROM default_number AS own
                          WHERE own.site_id = done.site_id
                            AND (own.source = lower(session.source) OR own.channel = session.channel)
                          ORDER BY own.source LIMIT 1),
                         (SELECT default_number FROM pool WHERE pool.id = done.pool_id),
                         (SELECT default_number FROM site WHERE site.id = done.site_id))
    FROM done, locked
    WHERE session.id = locked.id AND done.victim = locked.id AND session.number_id = done.number_id
), changed AS (
    UPDATE reservation SET changed_at = greatest(reservation.started_at, $2)
    FROM done
    WHERE reservation.session_id = done.session_id AND reservation.number_id = done.left_number
      AND reservation.changed_at IS NULL
), ended AS (
    UPDATE reservation
    SET ended_at = CASE WHEN done.reopened THEN NULL
                        ELSE least(reservation.ended_at,
                                   greatest(reservation.started_at, done.earlier_ends)) END,
        end_reason = CASE WHEN done.reopened THEN NULL
                          ELSE coalesce(reservation.end_reason, done.ends) END,
        changed_at = CASE WHEN reservation.session_id = done.victim
                          THEN coalesce(reservation.changed_at, greatest(reservation.started_at, $2))
                          ELSE reservation.changed_at END
    FROM done
    WHERE done.take AND reservation.id = done.earlier_id
      AND (reservation.ended_at IS NULL OR done.reopened OR reservation.session_id = done.victim
           OR reservation.ended_at > done.earlier_ends)
), opened AS (
    INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at, shared)
    SELECT organisation_id, number_id, served_id, pool_id, greatest($2, earlier_ends), shared
    FROM done
    WHERE take AND NOT reopened
    RETURNING id, number_id, session_id, started_at
), remembered AS (
    INSERT INTO number_mass (number_id, at, masses)
    SELECT number_id, $2, masses::json FROM done WHERE take AND masses IS NOT NULL
    ON CONFLICT (number_id) DO UPDATE SET at = excluded.at, masses = excluded.masses
), held AS (
    UPDATE number
    SET holder_id = CASE WHEN done.take THEN done.served_id ELSE number.holder_id END,
        holder_left = false,
        silent_at = greatest($2 + interval '75 s', CASE WHEN NOT done.take THEN number.silent_at END),
        reservation_id = coalesce(opened.id, number.reservation_id),
        issued_at = coalesce(opened.started_at, number.issued_at),
        reserved_until = CASE WHEN done.take AND number.bound_to IS DISTINCT FROM done.bound_to THEN done.until
                              WHEN done.take AND done.bound_to IS NULL THEN done.until
                              ELSE greatest(number.reserved_until, done.until) END,
        ring = CASE WHEN opened.id IS NULL THEN number.ring
                    ELSE (ARRAY[done.served_id] || array_remove(number.ring, done.served_id))[1:done.ring_size] END,
        last_campaign = CASE WHEN opened.id IS NULL THEN number.last_campaign ELSE done.campaign_key END,
        bound_to = done.bound_to,
        version = number.version + 1
    FROM done
    LEFT JOIN opened ON opened.number_id = done.number_id
    WHERE number.id = done.got_id
)
SELECT key FROM served;
