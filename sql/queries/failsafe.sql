-- numbers()
-- The route of every number in use, for Asterisk's own database.
SELECT number.e164, coalesce(number.record, pool.record, true) AS record,
       (SELECT jsonb_agg(to_jsonb(target) || jsonb_build_object('trunk', trunk.name,
                 'ours', EXISTS (SELECT FROM number AS own WHERE own.e164 = target.e164)) ORDER BY wanted.place)
        FROM unnest(ARRAY[number.target_id, pool.target_id, site.target_id])
             WITH ORDINALITY AS wanted (id, place)
        JOIN target ON target.id = wanted.id LEFT JOIN trunk ON trunk.id = target.trunk_id) AS targets
FROM number LEFT JOIN pool ON pool.id = number.pool_id LEFT JOIN site ON site.id = pool.site_id
WHERE number.withdrawn_at IS NULL;

-- trunks()
-- The default line of every trunk that has one.
SELECT trunk.name, to_jsonb(target) || jsonb_build_object('trunk', through.name,
           'ours', EXISTS (SELECT FROM number AS own WHERE own.e164 = target.e164)) AS target
FROM trunk JOIN target ON target.id = trunk.target_id LEFT JOIN trunk AS through ON through.id = target.trunk_id;
