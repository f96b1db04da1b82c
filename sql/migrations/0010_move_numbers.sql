-- migrate:up

ALTER TABLE number
    -- the pool it goes to once nobody holds it any more
    ADD COLUMN moves_to bigint REFERENCES pool;
CREATE INDEX number_moving ON number (moves_to) WHERE moves_to IS NOT NULL AND withdrawn_at IS NULL;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
