-- find(organisation_id, e164s)
-- The organisation's numbers among these, with where each stands and what it was before it was put aside.
SELECT number.id, number.e164, number.standing, number.withdrawn_at, number.pool_id, number.grown_at,
       number.holder_id IS NOT NULL AS held,
       EXISTS (SELECT FROM site WHERE site.default_number = number.e164 OR number.e164 = ANY (site.page_numbers))
       OR EXISTS (SELECT FROM pool WHERE pool.default_number = number.e164)
       OR EXISTS (SELECT FROM default_number WHERE default_number.e164 = number.e164)
       OR EXISTS (SELECT FROM page_number WHERE page_number.e164 = number.e164) AS stands_on_pages,
       coalesce(
           (SELECT earlier.from_standing FROM number_standing_change AS earlier
            WHERE earlier.number_id = number.id AND earlier.from_standing IN ('in_use', 'shared', 'resting')
            ORDER BY earlier.id DESC LIMIT 1),
           CASE WHEN number.pool_id IS NULL THEN 'shared' ELSE 'in_use' END
       ) AS before
FROM number WHERE number.organisation_id = $1 AND number.e164 = ANY ($2::text[]);

-- change(number_ids, expected, standings, whys, actor, at)
-- Numbers that stand where they are expected to stand somewhere else from now on, each with its reason in the
-- log. One that is put aside holds no combination of parameters any more: that gets another number. One that is
-- handed to the shared pool belongs to no site any more, and forgets who was shown it; it must not be held. Returns those that were changed. Numbers are locked in one order, as everywhere.
WITH locked AS MATERIALIZED (
    SELECT number.id, number.pool_id, asked.was, asked.standing, asked.why
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS asked (id, was, standing, why)
    JOIN number ON number.id = asked.id
    WHERE number.standing = asked.was AND number.withdrawn_at IS NULL
      AND (asked.standing <> 'shared' OR number.holder_id IS NULL)
    ORDER BY number.id
    FOR NO KEY UPDATE OF number
), changed AS (
    UPDATE number
    SET standing = locked.standing, standing_since = $6, version = number.version + 1,
        pool_id = CASE WHEN locked.standing <> 'shared' THEN number.pool_id END,
        grown_at = CASE WHEN locked.standing <> 'shared' THEN number.grown_at END,
        reservation_id = CASE WHEN locked.standing <> 'shared' THEN number.reservation_id END,
        ring = CASE WHEN locked.standing <> 'shared' THEN number.ring ELSE '{}' END,
        last_campaign = CASE WHEN locked.standing <> 'shared' THEN number.last_campaign END,
        bound_to = CASE WHEN locked.standing = 'in_use' THEN number.bound_to END
    FROM locked WHERE number.id = locked.id
    RETURNING number.id, number.organisation_id
), forgotten AS (
    DELETE FROM number_mass USING locked WHERE number_mass.number_id = locked.id AND locked.standing = 'shared'
)
INSERT INTO number_standing_change (organisation_id, number_id, at, from_standing, to_standing, pool_id, why, actor)
SELECT changed.organisation_id, changed.id, $6, locked.was, locked.standing, locked.pool_id, locked.why, $5
FROM changed JOIN locked ON locked.id = changed.id
ORDER BY changed.id
RETURNING number_id;

-- tell(organisation_id, e164s, from_standing, to_standing, why, actor, at)
-- The log of a change that is made already: a number was withdrawn; or it came back, if the log has it there.
INSERT INTO number_standing_change (organisation_id, number_id, at, from_standing, to_standing, pool_id, why, actor)
SELECT $1, number.id, $7, coalesce($3, number.standing), coalesce($4, number.standing), number.pool_id, $5, $6
FROM number WHERE number.organisation_id = $1 AND number.e164 = ANY ($2::text[])
  AND ($3::text IS DISTINCT FROM 'withdrawn' OR $3 = (SELECT earlier.to_standing FROM number_standing_change AS earlier
                                                    WHERE earlier.number_id = number.id
                                                    ORDER BY earlier.id DESC LIMIT 1))
ORDER BY number.id;

-- log(organisation_id, e164, below, most)
-- The newest changes, of one number or of all; `below` is the id after which a page goes on.
SELECT change.id, change.at, number.e164, change.from_standing, change.to_standing, pool.name AS pool,
       site.name AS site, change.why, change.actor
FROM number_standing_change AS change
JOIN number ON number.id = change.number_id
LEFT JOIN pool ON pool.id = change.pool_id
LEFT JOIN site ON site.id = pool.site_id
WHERE change.organisation_id = $1 AND ($2::text IS NULL OR number.e164 = $2)
  AND ($3::bigint IS NULL OR change.id < $3)
ORDER BY change.id DESC LIMIT $4;
