-- changes(since)
-- Codes that were split or renumbered, but for those whose time was over at `since`; oldest first.
SELECT id, old, new, from_at, until_at, applied_at FROM code_change WHERE until_at > $1 ORDER BY from_at, id;

-- add(old, new, from_at, until_at, now)
-- A code will change.
INSERT INTO code_change (old, new, from_at, until_at, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id;

-- cut_short(id, until_at)
-- The old form is valid no longer than this.
UPDATE code_change SET until_at = $2 WHERE id = $1 AND from_at < $2 RETURNING id;

-- call_off(id, now)
-- A change that has not begun is none.
DELETE FROM code_change WHERE id = $1 AND from_at > $2 AND applied_at IS NULL RETURNING id;

-- numbers(old)
-- How many numbers of anybody begin with a code.
SELECT count(*) FROM number WHERE starts_with(e164, $1) AND withdrawn_at IS NULL;

-- clashes(old, new)
-- Numbers that would be written as another row is already.
SELECT number.e164 FROM number JOIN number AS other ON other.e164 = $2 || substr(number.e164, length($1) + 1)
WHERE starts_with(number.e164, $1) ORDER BY number.e164;

-- rewrite_numbers(old, new)
-- Our numbers in their new form; one that is a row in that form already stays as it is.
UPDATE number SET e164 = $2 || substr(e164, length($1) + 1), version = version + 1
WHERE starts_with(e164, $1)
  AND NOT EXISTS (SELECT FROM number AS other WHERE other.e164 = $2 || substr(number.e164, length($1) + 1));

-- rewrite_blocks(old, new)
-- Blocks that lie in the code, with the numbers that others keep.
UPDATE block SET prefix = $2 || substr(prefix, length($1) + 1),
    contaminated = ARRAY(SELECT $2 || substr(one, length($1) + 1) FROM unnest(contaminated) AS one),
    ported = ARRAY(SELECT $2 || substr(one, length($1) + 1) FROM unnest(ported) AS one)
WHERE starts_with(prefix, $1);

-- rewrite_sites(old, new)
-- Default numbers of sites. Pages may show either form: both are looked for on them.
UPDATE site
SET page_numbers = page_numbers || ARRAY(
        SELECT $2 || substr(one, length($1) + 1) FROM unnest(page_numbers) AS one WHERE starts_with(one, $1)),
    default_number = CASE WHEN starts_with(default_number, $1) THEN $2 || substr(default_number, length($1) + 1)
                          ELSE default_number END
WHERE starts_with(default_number, $1)
   OR EXISTS (SELECT FROM unnest(page_numbers) AS one WHERE starts_with(one, $1));

-- rewrite_pools(old, new)
-- Default numbers of pools.
UPDATE pool SET default_number = $2 || substr(default_number, length($1) + 1) WHERE starts_with(default_number, $1);

-- applied(id, now)
-- Our rows carry the new form.
UPDATE code_change SET applied_at = $2 WHERE id = $1;
