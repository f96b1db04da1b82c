-- routes()
-- The routes of all numbers in use, for Asterisk's own database: each with the numbers that share it, which
-- are thousands while routes are few.
WITH route AS (
    SELECT coalesce(number.record, pool.record, true) AS record, number.target_id AS own, pool.target_id AS pools,
           site.target_id AS sites, array_agg(number.e164) AS numbers
    FROM number LEFT JOIN pool ON pool.id = number.pool_id LEFT JOIN site ON site.id = pool.site_id
    WHERE number.withdrawn_at IS NULL
    GROUP BY 1, 2, 3, 4
)
SELECT route.numbers, route.record,
       (SELECT jsonb_agg(to_jsonb(target) || jsonb_build_object('trunk', trunk.name,
                 'ours', EXISTS (SELECT FROM number AS own WHERE own.e164 = target.e164)) ORDER BY wanted.place)
        FROM unnest(ARRAY[route.own, route.pools, route.sites]) WITH ORDINALITY AS wanted (id, place)
        JOIN target ON target.id = wanted.id LEFT JOIN trunk ON trunk.id = target.trunk_id) AS targets
FROM route;

-- trunks()
-- The default line of every trunk that has one.
SELECT trunk.name, to_jsonb(target) || jsonb_build_object('trunk', through.name,
           'ours', EXISTS (SELECT FROM number AS own WHERE own.e164 = target.e164)) AS target
FROM trunk JOIN target ON target.id = trunk.target_id LEFT JOIN trunk AS through ON through.id = target.trunk_id;
