-- migrate:up

-- ---------------------------------------------------------------------------
-- Channels: what a session is. The ready-made ones stand in the program.
-- ---------------------------------------------------------------------------

-- An organisation's own ones: asked before the ready-made ones, in the order of `place`, then of age.
CREATE TABLE channel (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    key             text NOT NULL CONSTRAINT channel_key_format CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    name            text NOT NULL CHECK (name <> ''),
    place           integer NOT NULL DEFAULT 100,
    -- any of them is enough
    rules           jsonb NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT channel_key_once UNIQUE (organisation_id, key)
);

-- the channel of what a call is credited to
ALTER TABLE attribution ADD COLUMN channel text;

-- Default numbers of a channel, or of a source: before the pool's, which is before the site's. A number stands
-- here once, so that a call to it says which channel or source it is for.
CREATE TABLE default_number (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    site_id         bigint NOT NULL REFERENCES site,
    channel         text,
    source          text,
    e164            text NOT NULL CONSTRAINT default_number_once UNIQUE
                    CONSTRAINT default_number_format CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    created_at      timestamptz NOT NULL,
    CONSTRAINT default_number_for_one CHECK ((channel IS NULL) <> (source IS NULL)),
    CONSTRAINT default_number_of_channel UNIQUE (site_id, channel),
    CONSTRAINT default_number_of_source UNIQUE (site_id, source)
);

-- ---------------------------------------------------------------------------
-- Touches
-- ---------------------------------------------------------------------------

-- Landings within a session that had begun before, from somewhere else than one's own pages. The landing that
-- began a session stands in the session itself: together they are all touches of a visitor.
CREATE TABLE touch (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    site_id         bigint NOT NULL,
    visitor         uuid NOT NULL,
    session_id      bigint NOT NULL,
    at              timestamptz NOT NULL,
    url             text NOT NULL,
    referrer        text NOT NULL,
    source          text NOT NULL,
    medium          text NOT NULL,
    campaign        text NOT NULL,
    term            text NOT NULL,
    content         text NOT NULL,
    click_ids       jsonb NOT NULL,
    channel         text NOT NULL
);
CREATE INDEX touch_of_session ON touch (session_id, at);

-- Past visits are summed up by channel from now on: what was summed up by source and medium is made anew.
UPDATE number_past SET version = version + 1, packed = NULL, kinds = NULL, unsettled = NULL;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
