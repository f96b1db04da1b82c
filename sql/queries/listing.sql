-- trunks(organisation_id, id, after, most)
-- A page of the organisation's trunks in the order in which they were made, or the one of that id.
SELECT trunk.id, trunk.name, target.id AS target_id, target.name AS target, trunk.created_at
FROM trunk LEFT JOIN target ON target.id = trunk.target_id
WHERE trunk.organisation_id = $1 AND trunk.id = coalesce($2::bigint, trunk.id) AND trunk.id > $3
ORDER BY trunk.id LIMIT $4;

-- targets(organisation_id, id, after, most)
-- A page of the organisation's company lines, or one.
SELECT target.id, target.name, target.kind, target.endpoint, target.e164, trunk.id AS trunk_id,
       trunk.name AS trunk, target.ring_seconds, target.created_at
FROM target LEFT JOIN trunk ON trunk.id = target.trunk_id
WHERE target.organisation_id = $1 AND target.id = coalesce($2::bigint, target.id) AND target.id > $3
ORDER BY target.id LIMIT $4;

-- sites(organisation_id, id, after, most)
-- A page of the organisation's web properties, or one.
SELECT site.id, site.key, site.name, site.origins, site.region, site.time_zone, site.default_number,
       site.page_numbers, target.id AS target_id, target.name AS target, site.created_at
FROM site JOIN target ON target.id = site.target_id
WHERE site.organisation_id = $1 AND site.id = coalesce($2::bigint, site.id) AND site.id > $3
ORDER BY site.id LIMIT $4;

-- pools(organisation_id, id, after, most, site_id, kind)
-- A page of the organisation's pools, of one site or kind where that is given, or one.
SELECT pool.*, site.name AS site, target.name AS target,
       (SELECT count(*) FROM number WHERE number.pool_id = pool.id AND withdrawn_at IS NULL) AS numbers
FROM pool JOIN site ON site.id = pool.site_id LEFT JOIN target ON target.id = pool.target_id
WHERE pool.organisation_id = $1 AND pool.id = coalesce($2::bigint, pool.id) AND pool.id > $3
  AND pool.site_id = coalesce($5::bigint, pool.site_id) AND pool.kind = coalesce($6::text, pool.kind)
ORDER BY pool.id LIMIT $4;

-- numbers(organisation_id, after, most, pool_id, site_id, standing, withdrawn)
-- A page of the organisation's numbers: of a pool, a site, a standing, withdrawn or not, where that is given.
SELECT number.id, number.e164, number.standing, pool.id AS pool_id, pool.name AS pool, site.id AS site_id,
       site.name AS site, trunk.id AS trunk_id, trunk.name AS trunk, target.id AS target_id,
       target.name AS target, number.record, number.carrier, number.region, pool.channel,
       number.created_at, number.withdrawn_at, number.reserved_until, number.holder_id IS NOT NULL AS held
FROM number
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN trunk ON trunk.id = number.trunk_id
LEFT JOIN target ON target.id = number.target_id
WHERE number.organisation_id = $1 AND number.id > $2
  AND ($4::bigint IS NULL OR number.pool_id = $4) AND ($5::bigint IS NULL OR pool.site_id = $5)
  AND number.standing = coalesce($6::text, number.standing)
  AND ($7::boolean IS NULL OR (number.withdrawn_at IS NOT NULL) = $7)
ORDER BY number.id LIMIT $3;

-- number(organisation_id, e164)
-- One number, as in `numbers`.
SELECT number.id, number.e164, number.standing, pool.id AS pool_id, pool.name AS pool, site.id AS site_id,
       site.name AS site, trunk.id AS trunk_id, trunk.name AS trunk, target.id AS target_id,
       target.name AS target, number.record, number.carrier, number.region, pool.channel,
       number.created_at, number.withdrawn_at, number.reserved_until, number.holder_id IS NOT NULL AS held
FROM number
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN trunk ON trunk.id = number.trunk_id
LEFT JOIN target ON target.id = number.target_id
WHERE number.organisation_id = $1 AND number.e164 = $2;

-- audit(organisation_id, before, most, action, actor, subject, since, until)
-- A page of the audit trail, newest first. IS TRUE keeps the times out of the choice of an index: by that of
-- times the whole trail would be read and sorted for each page.
SELECT id, at, actor, action, subject, detail FROM audit_entry
WHERE organisation_id = $1 AND id < $2
  AND action = coalesce($4::text, action) AND actor = coalesce($5::text, actor)
  AND subject = coalesce($6::text, subject)
  AND (at >= coalesce($7::timestamptz, '-infinity')) IS TRUE
  AND (at < coalesce($8::timestamptz, 'infinity')) IS TRUE
ORDER BY id DESC LIMIT $3;
