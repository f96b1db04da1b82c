-- migrate:up

-- Customers of this installation. Every table below that holds their data carries the organisation,
-- and every query that reads it for a person is scoped by it.
CREATE TABLE organisation (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------------------
-- Where calls go
-- ---------------------------------------------------------------------------

-- A carrier's connection. `name` is CT_TRUNK of the endpoint in pjsip.conf.
CREATE TABLE trunk (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    name            text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9_-]{1,40}$'),
    target_id       bigint,
    created_at      timestamptz NOT NULL
);

-- A company line: a SIP endpoint, or a PSTN number reached through a trunk.
CREATE TABLE target (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    name            text NOT NULL CHECK (name <> ''),
    kind            text NOT NULL CHECK (kind IN ('endpoint', 'pstn')),
    endpoint        text CHECK (endpoint ~ '^[A-Za-z0-9_.-]{1,60}$'),
    e164            text CONSTRAINT target_e164_format CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    trunk_id        bigint REFERENCES trunk,
    ring_seconds    integer NOT NULL DEFAULT 25 CHECK (ring_seconds BETWEEN 1 AND 120),
    created_at      timestamptz NOT NULL,
    CONSTRAINT target_name_once UNIQUE (organisation_id, name),
    CONSTRAINT target_kind_fields CHECK (
        (kind = 'endpoint' AND endpoint IS NOT NULL AND e164 IS NULL AND trunk_id IS NULL)
        OR (kind = 'pstn' AND e164 IS NOT NULL AND trunk_id IS NOT NULL AND endpoint IS NULL)
    )
);
ALTER TABLE trunk ADD CONSTRAINT trunk_target FOREIGN KEY (target_id) REFERENCES target;

-- ---------------------------------------------------------------------------
-- What visitors see
-- ---------------------------------------------------------------------------

CREATE TABLE site (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    key             text NOT NULL CONSTRAINT site_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9_-]{8,64}$'),
    name            text NOT NULL CHECK (name <> ''),
    origins         text[] NOT NULL,
    region          text NOT NULL CHECK (region ~ '^[A-Z]{2}$'),
    time_zone       text NOT NULL,
    default_number  text NOT NULL CONSTRAINT site_default_number_format CHECK (default_number ~ '^\+[1-9][0-9]{6,14}$'),
    page_numbers    text[] NOT NULL,
    target_id       bigint NOT NULL REFERENCES target,
    created_at      timestamptz NOT NULL,
    CONSTRAINT site_name_once UNIQUE (organisation_id, name)
);

CREATE TABLE pool (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id     bigint NOT NULL REFERENCES organisation,
    site_id             bigint NOT NULL REFERENCES site,
    name                text NOT NULL CHECK (name <> ''),
    kind                text NOT NULL CHECK (kind IN ('static', 'dynamic')),
    policy              text NOT NULL DEFAULT 'longest_idle' CHECK (policy IN ('longest_idle')),
    priority            integer NOT NULL DEFAULT 100,
    reservation_seconds integer NOT NULL DEFAULT 900 CONSTRAINT pool_reservation_time CHECK (reservation_seconds BETWEEN 60 AND 604800),
    -- [{"field": "source", "equals": "google"}, …]: all must hold; empty serves every visit
    rules               jsonb NOT NULL DEFAULT '[]',
    default_number      text CONSTRAINT pool_default_number_format CHECK (default_number ~ '^\+[1-9][0-9]{6,14}$'),
    target_id           bigint REFERENCES target,
    record              boolean NOT NULL DEFAULT true,
    -- what a call on a static number is credited to
    source              text,
    medium              text,
    campaign            text,
    created_at          timestamptz NOT NULL,
    CONSTRAINT pool_name_once UNIQUE (site_id, name),
    CONSTRAINT pool_static_has_source CHECK (kind = 'dynamic' OR source IS NOT NULL)
);

-- One visit of one visitor from one campaign. Times are facts; the state (active, idle, gone) is
-- computed from them when read, so nothing has to run for each visitor.
CREATE TABLE session (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    site_id         bigint NOT NULL REFERENCES site,
    key             uuid NOT NULL UNIQUE,
    visitor         uuid NOT NULL,
    -- 1, 2, … of this visitor: two tabs at once cannot both begin the same one
    ordinal         integer NOT NULL CHECK (ordinal > 0),
    started_at      timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    input_at        timestamptz NOT NULL,
    gone_at         timestamptz,
    gone_kind       text CHECK (gone_kind IN ('hide', 'close')),
    tapped_at       timestamptz,
    tapped_number   text,
    copied_at       timestamptz,
    device          text CHECK (device IN ('mobile', 'desktop')),
    landing_url     text NOT NULL,
    referrer        text NOT NULL,
    source          text NOT NULL,
    medium          text NOT NULL,
    campaign        text NOT NULL,
    term            text NOT NULL,
    content         text NOT NULL,
    click_ids       jsonb NOT NULL,
    -- what its page shows: a number of ours, or a default number
    number_id       bigint,
    shown           text NOT NULL,
    overflow        boolean NOT NULL DEFAULT false,
    -- expected calls so far: who has called is a worse candidate for the next unknown caller
    called          double precision NOT NULL DEFAULT 0 CHECK (called BETWEEN 0 AND 1),
    CONSTRAINT session_ordinal_once UNIQUE (site_id, visitor, ordinal)
) WITH (fillfactor = 70);
-- Candidates of a call on a default number. Holds no column that a heartbeat moves.
CREATE INDEX session_shown_default ON session (shown, started_at DESC) WHERE number_id IS NULL;

-- A DID of ours. The reservation in force lives on this row (holder, reserved until, version), so two
-- holders cannot even be written down; `reservation` keeps the history.
-- No index holds `reserved_until`: a heartbeat moves it, and stays a heap-only update.
CREATE TABLE number (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    e164            text NOT NULL CONSTRAINT number_once UNIQUE
                    CONSTRAINT number_e164_format CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    trunk_id        bigint REFERENCES trunk,
    pool_id         bigint REFERENCES pool,
    target_id       bigint REFERENCES target,
    record          boolean,
    created_at      timestamptz NOT NULL,
    withdrawn_at    timestamptz,
    -- the reservation in force. No foreign keys here: they would be checked at every hand-out, and a
    -- session deleted by retention must not take the number's state with it.
    holder_id       bigint,
    reservation_id  bigint,
    issued_at       timestamptz,
    reserved_until  timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    released_at     timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    version         bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX number_longest_idle ON number (pool_id, released_at, id)
    WHERE holder_id IS NULL AND withdrawn_at IS NULL;
CREATE INDEX number_taken ON number (pool_id) WHERE holder_id IS NOT NULL;

-- History: who held which number from when to when. Written once, ended once.
CREATE TABLE reservation (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    number_id       bigint NOT NULL REFERENCES number,
    session_id      bigint NOT NULL,
    pool_id         bigint NOT NULL,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    end_reason      text CHECK (end_reason IN ('expired', 'taken', 'moved', 'withdrawn')),
    CONSTRAINT reservation_times_in_order CHECK (ended_at >= started_at)
) WITH (fillfactor = 90);
CREATE INDEX reservation_of_number ON reservation (number_id, started_at DESC);
CREATE INDEX reservation_of_session ON reservation (session_id);

-- Visits long gone that were shown a number, summed up for the calls on it (domain/past): nothing in it
-- changes while it stands here. `packed` holds session ids, moments left, moments handed out and kinds; it is
-- null while it is to be made. Every change of a row counts up its version.
CREATE TABLE number_past (
    number_id bigint PRIMARY KEY REFERENCES number ON DELETE CASCADE,
    built_at  timestamptz NOT NULL,
    version   bigint NOT NULL DEFAULT 1,
    packed    bytea,
    kinds     jsonb,
    unsettled bigint[]
);
ALTER TABLE number_past ALTER COLUMN packed SET STORAGE EXTERNAL;

-- A visit of the past that speaks again, or is credited with a call, is not past: what was summed up with
-- it is thrown away, and made anew before long.
CREATE FUNCTION forget_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE number_past SET version = version + 1, packed = NULL, kinds = NULL, unsettled = NULL
    WHERE number_id IN (SELECT number_id FROM reservation WHERE session_id = NEW.id)
      AND built_at > OLD.seen_at + interval '50 minutes';
    RETURN NULL;
END
$$;
CREATE TRIGGER session_is_not_past AFTER UPDATE ON session FOR EACH ROW
    WHEN (NEW.called <> OLD.called
          OR NEW.seen_at > OLD.seen_at + interval '50 minutes'
          OR NEW.gone_at > OLD.seen_at + interval '50 minutes'
          OR NEW.tapped_at > OLD.seen_at + interval '50 minutes')
    EXECUTE FUNCTION forget_past();

-- ---------------------------------------------------------------------------
-- What rang
-- ---------------------------------------------------------------------------

-- One row per Asterisk linkedid. Written when the call arrives, before anything is dialled; what
-- follows is folded from call_event.
CREATE TABLE call (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint REFERENCES organisation,
    ref             text NOT NULL UNIQUE CHECK (ref ~ '^[A-Za-z0-9_-]{8,64}$'),
    linkedid        text NOT NULL CONSTRAINT call_once UNIQUE,
    site_id         bigint REFERENCES site,
    number_id       bigint REFERENCES number,
    did             text NOT NULL,
    caller          text NOT NULL,
    trunk           text NOT NULL,
    arrived_at      timestamptz NOT NULL,
    state           text NOT NULL CHECK (state IN ('arrived', 'ringing', 'talking', 'ended')),
    outcome         text CHECK (outcome IN ('answered', 'busy', 'no_answer', 'cancelled', 'failed', 'refused', 'lost')),
    -- who chose the target: the router, or which of Asterisk's own records
    route_source    text CHECK (route_source IN ('router', 'failsafe_number', 'failsafe_trunk', 'failsafe_default')),
    target_id       bigint REFERENCES target,
    target          text,
    ringing_at      timestamptz,
    answered_at     timestamptz,
    ended_at        timestamptz,
    ring_ms         integer CHECK (ring_ms >= 0),
    talk_ms         integer CHECK (talk_ms >= 0),
    hung_up_by      text CHECK (hung_up_by IN ('caller', 'company', 'system')),
    hangup_cause    integer,
    sip_call_id     text,
    attribution_id  bigint,
    -- from how many events this row was folded: what knows fewer does not overwrite it
    events          integer NOT NULL DEFAULT 0,
    -- when its recordings were looked for, after its end
    recordings_at   timestamptz,
    created_at      timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX call_recent ON call (organisation_id, arrived_at DESC, id DESC);
CREATE INDEX call_of_caller ON call (caller, arrived_at DESC) WHERE caller <> '';
CREATE INDEX call_unfinished ON call (arrived_at) WHERE state <> 'ended';
CREATE INDEX call_unheard ON call (ended_at) WHERE answered_at IS NOT NULL AND recordings_at IS NULL;
CREATE INDEX call_unattributed ON call (arrived_at) WHERE attribution_id IS NULL;

-- Every decision about a call, kept; call.attribution_id names the one in force.
CREATE TABLE attribution (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id         bigint NOT NULL REFERENCES call,
    decided_at      timestamptz NOT NULL,
    model           text NOT NULL,
    method          text NOT NULL CHECK (method IN ('reservation', 'static', 'default', 'without_session', 'unknown_number')),
    level           text NOT NULL CHECK (level IN ('session', 'campaign', 'source', 'none')),
    confidence      double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    session_id      bigint,
    pool_id         bigint,
    source          text,
    medium          text,
    campaign        text,
    term            text,
    content         text,
    evidence        jsonb NOT NULL,
    runners_up      jsonb NOT NULL,
    inputs          jsonb NOT NULL
);
CREATE INDEX attribution_of_call ON attribution (call_id, id);
ALTER TABLE call ADD CONSTRAINT call_attribution FOREIGN KEY (attribution_id) REFERENCES attribution;

-- What Asterisk said, in its own words and times. `digest` makes the same row, heard twice (over AMI and
-- from the file), one row.
CREATE TABLE call_event (
    linkedid text NOT NULL,
    digest   bytea NOT NULL,
    at       timestamptz NOT NULL,
    kind     text NOT NULL,
    uniqueid text NOT NULL,
    data     jsonb NOT NULL,
    PRIMARY KEY (linkedid, digest)
);

-- How far each Asterisk host's CEL file has been read; moved in the transaction that stores its rows.
CREATE TABLE cel_position (
    host       text PRIMARY KEY,
    inode      bigint NOT NULL,
    read_bytes bigint NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE recording (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id     bigint NOT NULL REFERENCES call,
    path        text NOT NULL CONSTRAINT recording_once UNIQUE,
    bytes       bigint NOT NULL CHECK (bytes >= 0),
    duration_ms integer NOT NULL CHECK (duration_ms >= 0),
    truncated   boolean NOT NULL,
    found_at    timestamptz NOT NULL
);
CREATE INDEX recording_of_call ON recording (call_id);

-- ---------------------------------------------------------------------------
-- When nobody was listening
-- ---------------------------------------------------------------------------

CREATE TABLE router_pulse (
    router text PRIMARY KEY,
    at     timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Times in which no router could write: heartbeats sent then were lost, and reservations in force were
-- prolonged by as much.
CREATE TABLE outage (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    prolonged  integer NOT NULL,
    CONSTRAINT outage_times_in_order CHECK (ended_at > started_at)
);

-- ---------------------------------------------------------------------------
-- Who may look
-- ---------------------------------------------------------------------------

-- Tokens have 256 random bits, so a plain SHA-256 is enough to store.
CREATE TABLE access_token (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    name            text NOT NULL CHECK (name <> ''),
    digest          bytea NOT NULL UNIQUE,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    revoked_at      timestamptz
);

CREATE TABLE sign_in_code (
    digest          bytea PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz
);

CREATE TABLE staff_session (
    digest          bytea PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    created_at      timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz
);

-- Append-only: who heard which recording, who changed what.
CREATE TABLE audit_entry (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    action          text NOT NULL,
    subject         text NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_recent ON audit_entry (organisation_id, at DESC);

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
