-- blocks()
-- Every block of every organisation: they must not overlap.
SELECT id, organisation_id, prefix, places, block_id, carrier, region, rate_centre, contaminated, ported
FROM block ORDER BY prefix;

-- there(e164s)
-- Which of these numbers are rows already, whoever's.
SELECT e164, organisation_id, withdrawn_at IS NOT NULL AS withdrawn FROM number WHERE e164 = ANY ($1::text[]);

-- put_block(organisation_id, prefix, places, block_id, carrier, region, rate_centre, contaminated, ported, created_at)
-- A block; its numbers follow.
INSERT INTO block (organisation_id, prefix, places, block_id, carrier, region, rate_centre, contaminated, ported,
                   created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id;

-- put_numbers(organisation_id, e164s, block_ids, carriers, regions, rate_centres, costs, currencies, trunk_ids, pool_ids, target_ids, records, standings, withdrawns, now)
-- Numbers of a file, some thousands at a time; one that this organisation withdrew comes back. Returns how many
-- were taken in.
WITH put AS (
    INSERT INTO number (organisation_id, e164, block_id, carrier, region, rate_centre, monthly_cost, currency,
                        trunk_id, pool_id, target_id, record, standing, withdrawn_at, created_at, standing_since)
    SELECT $1, e164, block_id, carrier, region, rate_centre, cost, currency, trunk_id, pool_id, target_id, record,
           standing, CASE WHEN withdrawn THEN $15::timestamptz END, $15, $15
    FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::text[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[], $13::text[], $14::boolean[])
         AS given (e164, block_id, carrier, region, rate_centre, cost, currency, trunk_id, pool_id, target_id, record,
                   standing, withdrawn)
    ON CONFLICT (e164) DO UPDATE
    SET block_id = excluded.block_id, carrier = excluded.carrier, region = excluded.region,
        rate_centre = excluded.rate_centre, monthly_cost = excluded.monthly_cost, currency = excluded.currency,
        trunk_id = excluded.trunk_id, pool_id = excluded.pool_id, target_id = excluded.target_id,
        record = excluded.record, standing = excluded.standing, standing_since = $15, leaves_at = NULL,
        withdrawn_at = excluded.withdrawn_at, grown_at = NULL, version = number.version + 1
    WHERE number.withdrawn_at IS NOT NULL AND number.organisation_id = $1
    RETURNING id
)
SELECT count(*) FROM put;

-- exported(organisation_id)
-- Every number with all that its line of a file says.
SELECT number.e164, number.block_id, number.carrier, number.region, number.rate_centre, number.monthly_cost,
       number.currency, trunk.name AS trunk, site.name AS site, pool.name AS pool, target.name AS target,
       number.record, CASE WHEN number.withdrawn_at IS NULL THEN number.standing ELSE 'withdrawn' END AS standing
FROM number
LEFT JOIN pool ON pool.id = number.pool_id
LEFT JOIN site ON site.id = pool.site_id
LEFT JOIN trunk ON trunk.id = number.trunk_id
LEFT JOIN target ON target.id = number.target_id
WHERE number.organisation_id = $1 ORDER BY number.e164;

-- carriers(pool_ids)
-- The carriers that the numbers of pools come from.
SELECT DISTINCT pool_id, carrier FROM number
WHERE pool_id = ANY ($1::bigint[]) AND withdrawn_at IS NULL AND carrier IS NOT NULL;
