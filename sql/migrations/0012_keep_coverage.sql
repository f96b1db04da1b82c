-- migrate:up

ALTER TABLE session
    -- the dynamic pool that served it, or whose numbers were all taken
    ADD COLUMN pool_id       bigint,
    -- whether nobody had the number reserved that it was shown first
    ADD COLUMN found_free    boolean,
    -- Its reservation in an endless pool ended then; it came back later, which is not counted again.
    ADD COLUMN counted_until timestamptz;

-- When the reservation of a session in an endless pool ended, if it was over by then; null while it runs.
CREATE FUNCTION counted_until(session session, now timestamptz) RETURNS timestamptz LANGUAGE sql STABLE RETURN (
    SELECT coalesce((session).counted_until, CASE WHEN due.at <= now THEN due.at END)
    FROM (
        SELECT (
            SELECT reserved_until(pool, (session).started_at, (session).seen_at, (session).input_at,
                                  (session).gone_at, (session).gone_kind, (session).tapped_at,
                                  (session).started_at)
            FROM pool WHERE pool.id = (session).pool_id
        ) AS at
    ) AS due
);

-- How well each pool covers its visits, reckoned from the visits of some weeks; the newest reckoning only.
CREATE TABLE pool_coverage (
    pool_id     bigint PRIMARY KEY REFERENCES pool ON DELETE CASCADE,
    reckoned_at timestamptz NOT NULL,
    since       timestamptz NOT NULL,
    days        integer NOT NULL CHECK (days > 0),
    numbers     integer NOT NULL CHECK (numbers >= 0),
    visits      integer NOT NULL CHECK (visits > 0),
    -- by the replay with so many numbers, and the standard error of its share
    covered     integer NOT NULL CHECK (covered BETWEEN 0 AND visits),
    error       double precision NOT NULL CHECK (error >= 0),
    -- that really got a free number
    found_free  integer NOT NULL CHECK (found_free BETWEEN 0 AND visits)
);

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
