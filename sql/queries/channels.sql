-- own(organisation_id)
-- An organisation's own channels, in the order in which they are asked.
SELECT key, name, place, rules FROM channel WHERE organisation_id = $1 ORDER BY place, id;

-- put(organisation_id, key, name, place, rules, created_at)
-- One more of them.
INSERT INTO channel (organisation_id, key, name, place, rules, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- remove(organisation_id, key)
-- One less. Sessions keep the key.
DELETE FROM channel WHERE organisation_id = $1 AND key = $2 RETURNING id;

-- pools_that_ask(organisation_id, key)
-- Pools that belong to a channel, or that mention its key in a rule about channels, whatever the rule is built of.
SELECT name FROM pool
WHERE organisation_id = $1
  AND (channel = $2 OR jsonb_path_exists(rules, '$.**?(@.field == "channel").**?(@ == $key)',
                                         jsonb_build_object('key', $2::text)))
ORDER BY name;

-- default_numbers(organisation_id)
-- Default numbers of channels and sources.
SELECT site.name AS site, own.channel, own.source, own.e164
FROM default_number AS own JOIN site ON site.id = own.site_id
WHERE own.organisation_id = $1 ORDER BY site.name, own.channel, own.source;

-- put_default_number(organisation_id, site_id, channel, source, e164, created_at)
-- The default number of a channel, or of a source.
INSERT INTO default_number (organisation_id, site_id, channel, source, e164, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- remove_default_number(site_id, channel, source)
-- A channel or source without a default number of its own.
DELETE FROM default_number
WHERE site_id = $1 AND channel IS NOT DISTINCT FROM $2 AND source IS NOT DISTINCT FROM $3
RETURNING e164;

-- other_uses(e164)
-- What a number is for already, if that keeps it from standing for one channel.
SELECT words
FROM (
    SELECT 1 AS place, 'a number of the dynamic pool ' || quote_literal(pool.name) AS words
    FROM number JOIN pool ON pool.id = number.pool_id
    WHERE number.e164 = $1 AND number.withdrawn_at IS NULL AND pool.kind = 'dynamic'
    UNION ALL
    SELECT 2, 'a number of the static pool ' || quote_literal(pool.name)
    FROM number JOIN pool ON pool.id = number.pool_id
    WHERE number.e164 = $1 AND number.withdrawn_at IS NULL AND pool.kind = 'static'
    UNION ALL
    SELECT 3, 'the default number of the pool ' || quote_literal(name) FROM pool WHERE default_number = $1
    UNION ALL
    SELECT 4, 'a number that pages of the site ' || quote_literal(name) || ' show by themselves'
    FROM site WHERE default_number = $1 OR $1 = ANY (page_numbers)
    UNION ALL
    SELECT 5, 'the default number of ' || coalesce('channel ' || channel, 'source ' || source)
    FROM default_number WHERE e164 = $1
) AS used
ORDER BY place LIMIT 1;
