-- grow(pool_id, now, actor, why)
-- One number of the organisation's shared pool for a dynamic pool: of the pool's region where it has one, the
-- longest unused first. None there: one that rests after this very site gave it back. A row that somebody else
-- is taking is passed over, so no two pools are ever given one number.
WITH fit AS MATERIALIZED (
    SELECT number.id, number.standing FROM number
    WHERE number.standing = 'shared' AND number.withdrawn_at IS NULL AND number.holder_id IS NULL
      AND number.organisation_id = (SELECT organisation_id FROM pool WHERE id = $1 AND kind = 'dynamic')
      AND ((SELECT region FROM pool WHERE id = $1) IS NULL
           OR number.region = (SELECT region FROM pool WHERE id = $1)
           OR starts_with(number.region, (SELECT region FROM pool WHERE id = $1) || '-'))
    ORDER BY number.released_at, number.id
    LIMIT 1
    FOR NO KEY UPDATE OF number SKIP LOCKED
), own AS MATERIALIZED (
    SELECT number.id, number.standing
    FROM pool JOIN pool AS home ON home.site_id = pool.site_id JOIN number ON number.pool_id = home.id
    WHERE pool.id = $1 AND pool.kind = 'dynamic' AND NOT EXISTS (SELECT FROM fit)
      AND number.standing = 'resting' AND number.organisation_id = pool.organisation_id
      AND number.withdrawn_at IS NULL AND number.holder_id IS NULL
      AND (pool.region IS NULL OR number.region = pool.region
           OR starts_with(number.region, pool.region || '-'))
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
