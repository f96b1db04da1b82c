-- migrate:up

-- The log of what went back remembers sites and pools that are no more.
ALTER TABLE taken_back
    DROP CONSTRAINT taken_back_site_id_fkey,
    DROP CONSTRAINT taken_back_pool_id_fkey;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
