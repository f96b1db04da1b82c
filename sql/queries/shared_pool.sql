-- grow(pool_id, now, actor, why)
-- One number of the organisation's shared pool for a dynamic pool: of the pool's region where it has one, else of
-- its site's country or of no known region, the longest unused first. None there: one that rests after this very
-- site gave it back. A row that somebody else is taking is passed over, so no two pools are ever given one number.
WITH wanted AS MATERIALIZED (
    SELECT pool.organisation_id, pool.site_id, coalesce(pool.region, site.region) AS region,
           pool.region IS NULL AS anywhere
    FROM pool JOIN site ON site.id = pool.site_id
    WHERE pool.id = $1 AND pool.kind = 'dynamic'
), fit AS MATERIALIZED (
    SELECT number.id, number.standing FROM number
    WHERE number.standing = 'shared' AND number.withdrawn_at IS NULL AND number.holder_id IS NULL
      AND number.leaves_at IS NULL
      AND number.organisation_id = (SELECT organisation_id FROM wanted)
      AND (number.region = (SELECT region FROM wanted)
           OR starts_with(number.region, (SELECT region FROM wanted) || '-')
           OR number.region IS NULL AND (SELECT anywhere FROM wanted))
    ORDER BY number.released_at, number.id
    LIMIT 1
    FOR NO KEY UPDATE OF number SKIP LOCKED
), own AS MATERIALIZED (
    SELECT number.id, number.standing
    FROM wanted JOIN pool AS home ON home.site_id = wanted.site_id JOIN number ON number.pool_id = home.id
    WHERE NOT EXISTS (SELECT FROM fit)
      AND number.standing = 'resting' AND number.organisation_id = wanted.organisation_id
      AND number.withdrawn_at IS NULL AND number.holder_id IS NULL AND number.leaves_at IS NULL
      AND (number.region = wanted.region OR starts_with(number.region, wanted.region || '-')
           OR number.region IS NULL AND wanted.anywhere)
    ORDER BY number.released_at, number.id
    LIMIT 1
    FOR NO KEY UPDATE OF number SKIP LOCKED
), chosen AS (
    SELECT * FROM fit UNION ALL SELECT * FROM own
), grown AS (
    UPDATE number
    SET pool_id = $1, standing = 'in_use', standing_since = $2, grown_at = $2, version = number.version + 1
    FROM chosen WHERE number.id = chosen.id
    RETURNING number.id, number.organisation_id, number.e164, number.version, chosen.standing AS was
), given AS (
    UPDATE taken_back SET given_at = $2 FROM grown
    WHERE taken_back.number_id = grown.id AND taken_back.given_at IS NULL
), told AS (
    INSERT INTO number_standing_change (organisation_id, number_id, at, from_standing, to_standing, pool_id, why,
                                        actor)
    SELECT organisation_id, id, $2, was, 'in_use', $1, $4, $3 FROM grown
), noted AS (
    INSERT INTO audit_entry (organisation_id, at, actor, action, subject, detail)
    SELECT grown.organisation_id, $2, $3, 'pool.grow', pool.name,
           jsonb_build_object('number', grown.e164, 'was', grown.was, 'why', $4::text)
    FROM grown JOIN pool ON pool.id = $1
)
SELECT id, e164, version FROM grown;

-- grown(organisation_id)
-- How many numbers each site has from the shared pool, and when it gave others back.
SELECT site.id AS site_id, site.name AS site,
       (SELECT count(*) FROM pool JOIN number ON number.pool_id = pool.id
        WHERE pool.site_id = site.id AND number.grown_at IS NOT NULL AND number.withdrawn_at IS NULL
          AND number.standing <> 'resting') AS grown,
       ARRAY(SELECT taken_back.at FROM taken_back WHERE taken_back.site_id = site.id ORDER BY taken_back.at)
           AS taken
FROM site WHERE site.organisation_id = $1 ORDER BY site.name;

-- idle(organisation_id, before)
-- Numbers of the shared pool whose sites have not needed them since `before`: in use, held by nobody, neither
-- called nor on a page that spoke since then. The longest idle first.
SELECT number.id AS number_id, number.e164, pool.site_id, site.name AS site, pool.name AS pool, number.grown_at,
       CASE WHEN shown.ever THEN number.released_at END AS last_shown_at, rung.last_call_at,
       number.monthly_cost, number.currency
FROM number JOIN pool ON pool.id = number.pool_id JOIN site ON site.id = pool.site_id
CROSS JOIN LATERAL (
    SELECT max(call.arrived_at) AS last_call_at FROM call WHERE call.number_id = number.id
) AS rung
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM reservation WHERE reservation.number_id = number.id) AS ever
) AS shown
WHERE number.organisation_id = $1 AND number.grown_at <= $2 AND number.standing = 'in_use'
  AND number.withdrawn_at IS NULL AND number.holder_id IS NULL AND number.released_at <= $2
  AND (rung.last_call_at IS NULL OR rung.last_call_at <= $2)
  AND NOT EXISTS (
      SELECT FROM reservation JOIN session ON session.id = reservation.session_id
      WHERE reservation.number_id = number.id AND reservation.started_at > $2 - interval '30 days'
        AND session.seen_at > $2 AND session.shown = number.e164
  )
ORDER BY greatest(number.grown_at, number.released_at, rung.last_call_at), number.id;

-- take_back(number_ids, before, why, actor, at)
-- Grown numbers that nobody holds go to rest, with their reason and what is known of their last use in the logs.
-- One that was shown or called since `before` stays. Returns those that went.
WITH locked AS MATERIALIZED (
    SELECT number.id, number.organisation_id, number.pool_id, number.grown_at, number.released_at,
           (SELECT max(call.arrived_at) FROM call WHERE call.number_id = number.id) AS last_call_at
    FROM number
    WHERE number.id = ANY ($1::bigint[]) AND number.standing = 'in_use' AND number.grown_at IS NOT NULL
      AND number.pool_id IS NOT NULL AND number.withdrawn_at IS NULL AND number.holder_id IS NULL
      AND number.released_at <= $2
      AND NOT EXISTS (SELECT FROM call WHERE call.number_id = number.id AND call.arrived_at > $2)
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), changed AS (
    UPDATE number SET standing = 'resting', standing_since = $5, version = number.version + 1
    FROM locked WHERE number.id = locked.id
    RETURNING number.id
), told AS (
    INSERT INTO number_standing_change (organisation_id, number_id, at, from_standing, to_standing, pool_id, why,
                                        actor)
    SELECT locked.organisation_id, locked.id, $5, 'in_use', 'resting', locked.pool_id, $3, $4
    FROM locked JOIN changed ON changed.id = locked.id
)
INSERT INTO taken_back (organisation_id, number_id, site_id, pool_id, at, grown_at, last_shown_at, last_call_at)
SELECT locked.organisation_id, locked.id, pool.site_id, pool.id, $5, locked.grown_at,
       CASE WHEN EXISTS (SELECT FROM reservation WHERE reservation.number_id = locked.id) THEN locked.released_at END,
       locked.last_call_at
FROM locked JOIN changed ON changed.id = locked.id JOIN pool ON pool.id = locked.pool_id
ORDER BY locked.id
RETURNING number_id;

-- silences(organisation_id, since, now, idle)
-- Of the numbers that sites have, or had lately, from the shared pool: every time since `since` that one was
-- neither called nor shown for the interval `idle`, and the calls that came after that until its next show.
WITH subject AS (
    SELECT number.id, number.e164, site.name AS site
    FROM number JOIN pool ON pool.id = number.pool_id JOIN site ON site.id = pool.site_id
    WHERE number.organisation_id = $1 AND number.grown_at IS NOT NULL AND number.withdrawn_at IS NULL
), event AS (
    SELECT subject.id, reservation.started_at AS began, coalesce(reservation.ended_at, $3) AS ended, true AS show
    FROM subject JOIN reservation ON reservation.number_id = subject.id
    WHERE reservation.started_at > $2 AND reservation.started_at <= $3
    UNION ALL
    SELECT subject.id, call.arrived_at, call.arrived_at, false
    FROM subject JOIN call ON call.number_id = subject.id
    WHERE call.arrived_at > $2 AND call.arrived_at <= $3
), ordered AS (
    SELECT id, show,
           max(ended) OVER (PARTITION BY id ORDER BY began, ended
                            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS quiet_from,
           lead(began, 1, $3) OVER (PARTITION BY id ORDER BY began, ended) AS quiet_until
    FROM event
), silence AS (
    SELECT id, quiet_from + $4::interval AS at FROM ordered WHERE quiet_until - quiet_from >= $4::interval
), first AS (
    -- a call does not bring the number back: until its next show it stays away
    SELECT silence.id, silence.at,
           lag(silence.at) OVER (PARTITION BY silence.id ORDER BY silence.at) AS earlier_at
    FROM silence
)
SELECT subject.e164, subject.site, first.at,
       ARRAY(SELECT call.arrived_at FROM call
             WHERE call.number_id = subject.id AND call.arrived_at >= first.at AND call.arrived_at <= $3
               AND call.arrived_at < coalesce((SELECT min(reservation.started_at) FROM reservation
                                               WHERE reservation.number_id = subject.id
                                                 AND reservation.started_at >= first.at), 'infinity')
             ORDER BY call.arrived_at) AS calls
FROM first JOIN subject ON subject.id = first.id
WHERE first.earlier_at IS NULL
   OR EXISTS (SELECT FROM reservation WHERE reservation.number_id = subject.id
                                        AND reservation.started_at >= first.earlier_at
                                        AND reservation.started_at < first.at)
ORDER BY first.at, subject.e164;

-- taken(organisation_id, below, most, within)
-- What went back, the newest first, with the calls that came `within` an interval after that, until a site got
-- the number again.
SELECT taken_back.id, taken_back.at, number.e164, site.name AS site, pool.name AS pool, taken_back.grown_at,
       taken_back.last_shown_at, taken_back.last_call_at, taken_back.given_at, number.standing,
       number.monthly_cost, number.currency,
       ARRAY(SELECT call.arrived_at FROM call
             WHERE call.number_id = taken_back.number_id AND call.arrived_at > taken_back.at
               AND call.arrived_at < least(taken_back.given_at, taken_back.at + $4::interval)
             ORDER BY call.arrived_at) AS calls
FROM taken_back JOIN number ON number.id = taken_back.number_id
LEFT JOIN site ON site.id = taken_back.site_id LEFT JOIN pool ON pool.id = taken_back.pool_id
WHERE taken_back.organisation_id = $1 AND ($2::bigint IS NULL OR taken_back.id < $2)
ORDER BY taken_back.id DESC LIMIT $3;

-- members(organisation_id)
-- The shared pool, and those on their way into it.
SELECT number.e164, number.standing, coalesce(number.standing_since, number.created_at) AS since, number.region,
       number.carrier, site.name AS site, pool.name AS pool
FROM number LEFT JOIN pool ON pool.id = number.pool_id LEFT JOIN site ON site.id = pool.site_id
WHERE number.organisation_id = $1 AND number.withdrawn_at IS NULL
  AND (number.standing IN ('shared', 'resting')
       OR (number.standing IN ('listening', 'quarantined') AND number.pool_id IS NULL))
ORDER BY number.standing, number.released_at, number.id;
