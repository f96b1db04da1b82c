-- migrate:up

-- ---------------------------------------------------------------------------
-- Writes that may be sent twice
-- ---------------------------------------------------------------------------

-- What the admin API answered to a write that carried an Idempotency-Key: written in the transaction of the
-- change itself, so that there is either both or neither. Dropped after a day.
CREATE TABLE kept_answer (
    organisation_id bigint NOT NULL REFERENCES organisation,
    key             text NOT NULL CHECK (key <> ''),
    -- SHA-256 of what was asked: the same key with another request is a mistake
    digest          bytea NOT NULL,
    created_at      timestamptz NOT NULL,
    -- null only within the transaction that makes the change
    status          integer,
    body            bytea,
    etag            text,
    PRIMARY KEY (organisation_id, key)
);
CREATE INDEX kept_answer_old ON kept_answer (created_at);

-- ---------------------------------------------------------------------------
-- What a token may do
-- ---------------------------------------------------------------------------

ALTER TABLE access_token
    ADD COLUMN scope text NOT NULL DEFAULT 'read' CONSTRAINT access_token_scope CHECK (scope IN ('read', 'write'));

-- The log of standings remembers a pool that is no more.
ALTER TABLE number_standing_change DROP CONSTRAINT number_standing_change_pool_id_fkey;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
