-- migrate:up

-- ---------------------------------------------------------------------------
-- Numbers: since when they stand where they stand
-- ---------------------------------------------------------------------------

ALTER TABLE number
    -- null: since it was added
    ADD COLUMN standing_since timestamptz,
    -- when its site got it from the shared pool; null: it was assigned by a person, and is not taken back
    ADD COLUMN grown_at       timestamptz,
    ADD CONSTRAINT number_shared_has_no_pool CHECK (standing <> 'shared' OR pool_id IS NULL);

-- Those that are not in use: the shared pool in the order in which it is given out, and what the background
-- round looks at. A heartbeat writes none of these columns.
CREATE INDEX number_aside ON number (standing, organisation_id, released_at, id)
    WHERE standing <> 'in_use' AND withdrawn_at IS NULL;
CREATE INDEX number_grown ON number (pool_id) WHERE grown_at IS NOT NULL AND withdrawn_at IS NULL;

-- Why a number stands where it stands: appended, never changed.
CREATE TABLE number_standing_change (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    number_id       bigint NOT NULL REFERENCES number,
    at              timestamptz NOT NULL,
    from_standing   text NOT NULL,
    to_standing     text NOT NULL,
    -- the pool it belonged to afterwards, or, on its way into the shared pool, until then
    pool_id         bigint REFERENCES pool,
    why             text NOT NULL CHECK (why <> ''),
    actor           text NOT NULL CHECK (actor <> '')
);
CREATE INDEX standing_change_of_number ON number_standing_change (number_id, id DESC);
CREATE INDEX standing_change_recent ON number_standing_change (organisation_id, id DESC);

-- ---------------------------------------------------------------------------
-- What sites gave back to the shared pool
-- ---------------------------------------------------------------------------

CREATE TABLE taken_back (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    number_id       bigint NOT NULL REFERENCES number,
    site_id         bigint NOT NULL REFERENCES site,
    pool_id         bigint NOT NULL REFERENCES pool,
    at              timestamptz NOT NULL,
    grown_at        timestamptz NOT NULL,
    -- null: never
    last_shown_at   timestamptz,
    last_call_at    timestamptz,
    -- when a site got it again: calls from then on are that site's
    given_at        timestamptz
);
CREATE INDEX taken_back_of_site ON taken_back (site_id, at);
CREATE INDEX taken_back_recent ON taken_back (organisation_id, id DESC);
CREATE INDEX taken_back_open ON taken_back (number_id) WHERE given_at IS NULL;

-- Which calls came to a number, whether it was shown or not.
CREATE INDEX call_of_number ON call (number_id, arrived_at DESC);

-- ---------------------------------------------------------------------------
-- What an organisation wants otherwise than by default
-- ---------------------------------------------------------------------------

-- Names, types and limits are the program's (domain/organisation_settings); what stands here was checked there.
CREATE TABLE organisation_setting (
    organisation_id bigint NOT NULL REFERENCES organisation,
    name            text NOT NULL,
    value           jsonb NOT NULL,
    changed_at      timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, name)
);

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
