-- free(pool_ids, limits)
-- For each pool so many of its free numbers, those first that have been free longest.
SELECT pool.id AS pool_id, number.id, number.e164, number.version, number.holder_id,
       number.holder_id AS newest_holder, number.reserved_until
FROM unnest($1::bigint[], $2::bigint[]) AS pool (id, most)
CROSS JOIN LATERAL (
    SELECT * FROM number
    WHERE number.pool_id = pool.id AND holder_id IS NULL AND withdrawn_at IS NULL AND standing = 'in_use'
    ORDER BY released_at, number.id
    LIMIT pool.most
) AS number;

-- taken(pool_id, most)
-- The held numbers of a pool whose reservations end, or ended, first.
SELECT pool_id, id, e164, version, holder_id, holder_id AS newest_holder, reserved_until
FROM number
WHERE pool_id = $1 AND holder_id IS NOT NULL AND withdrawn_at IS NULL AND standing = 'in_use'
ORDER BY reserved_until, id
LIMIT $2;
