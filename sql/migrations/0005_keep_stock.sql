-- migrate:up

-- ---------------------------------------------------------------------------
-- Where numbers come from
-- ---------------------------------------------------------------------------

-- A range as a carrier holds it: a 10,000-number code, or a thousands-block of one. Its numbers are rows of
-- `number`, but for those that others keep: contaminated (in use there before the block was given away) and
-- ported (taken along to another carrier).
CREATE TABLE block (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisation,
    -- what all its numbers begin with; `places` digits follow
    prefix          text NOT NULL CONSTRAINT block_once UNIQUE CHECK (prefix ~ '^\+[1-9][0-9]{1,13}$'),
    places          integer NOT NULL CHECK (places BETWEEN 1 AND 4),
    -- its name at the number administration
    block_id        text NOT NULL DEFAULT '',
    carrier         text,
    region          text CONSTRAINT block_region_format CHECK (region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    rate_centre     text,
    contaminated    text[] NOT NULL DEFAULT '{}',
    ported          text[] NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL
);

ALTER TABLE number
    ADD COLUMN block_id     bigint REFERENCES block,
    ADD COLUMN rate_centre  text,
    ADD COLUMN monthly_cost numeric(12, 4) CONSTRAINT number_monthly_cost CHECK (monthly_cost >= 0),
    ADD COLUMN currency     text CONSTRAINT number_currency CHECK (currency ~ '^[A-Z]{3}$'),
    -- withdrawn gently: shown to nobody new, and out of use from then on, once nobody holds it
    ADD COLUMN leaves_at    timestamptz;
CREATE INDEX number_of_block ON number (block_id) WHERE block_id IS NOT NULL;
CREATE INDEX number_leaving ON number (leaves_at) WHERE leaves_at IS NOT NULL AND withdrawn_at IS NULL;

-- A code that is split or renumbered. From `from_at` to `until_at` a number is the same in both forms; our
-- rows carry the new one from `applied_at` on.
CREATE TABLE code_change (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    old        text NOT NULL CHECK (old ~ '^\+[1-9][0-9]{0,13}$'),
    new        text NOT NULL CHECK (new ~ '^\+[1-9][0-9]{0,13}$'),
    from_at    timestamptz NOT NULL,
    until_at   timestamptz NOT NULL,
    applied_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT code_change_forms_differ CHECK (old <> new),
    CONSTRAINT code_change_times_in_order CHECK (until_at > from_at)
);

-- What was done to a number; each row says what it was from then on. Written by the database itself, so that
-- no change is left out, whoever makes it. How it stood, and why, is in number_standing_change.
CREATE TABLE number_change (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number_id bigint NOT NULL REFERENCES number ON DELETE CASCADE,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    e164      text NOT NULL,
    pool_id   bigint,
    withdrawn boolean NOT NULL
);
CREATE INDEX number_change_of_number ON number_change (number_id, id);

CREATE FUNCTION keep_number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO number_change (number_id, e164, pool_id, withdrawn)
    VALUES (NEW.id, NEW.e164, NEW.pool_id, NEW.withdrawn_at IS NOT NULL);
    RETURN NULL;
END
$$;
-- fires for statements that name one of these columns: heartbeats and hand-outs do not
CREATE TRIGGER number_is_changed AFTER UPDATE OF e164, pool_id, withdrawn_at ON number FOR EACH ROW
    WHEN (OLD.e164 <> NEW.e164 OR OLD.pool_id IS DISTINCT FROM NEW.pool_id
          OR (OLD.withdrawn_at IS NULL) <> (NEW.withdrawn_at IS NULL))
    EXECUTE FUNCTION keep_number_change();

-- ---------------------------------------------------------------------------
-- Routers are told at once of what changes the routes of numbers
-- ---------------------------------------------------------------------------

CREATE FUNCTION tell_of_routes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('routes', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER number_route_is_new AFTER INSERT OR DELETE OR UPDATE OF e164, pool_id, target_id, record, standing, withdrawn_at
    ON number FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();
CREATE TRIGGER pool_route_is_new AFTER DELETE OR UPDATE OF site_id, target_id, record
    ON pool FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();
CREATE TRIGGER site_route_is_new AFTER DELETE OR UPDATE OF target_id
    ON site FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();
CREATE TRIGGER target_route_is_new AFTER DELETE OR UPDATE
    ON target FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();
CREATE TRIGGER trunk_route_is_new AFTER INSERT OR DELETE OR UPDATE
    ON trunk FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();
CREATE TRIGGER code_route_is_new AFTER INSERT OR DELETE OR UPDATE
    ON code_change FOR EACH STATEMENT EXECUTE FUNCTION tell_of_routes();

-- ---------------------------------------------------------------------------
-- Regions of callers
-- ---------------------------------------------------------------------------

-- A country's numbering plan as somebody loaded it: which digits belong to which region and operator.
CREATE TABLE numbering_plan (
    country   text PRIMARY KEY CHECK (country ~ '^[A-Z]{2}$'),
    version   bigint NOT NULL,
    loaded_at timestamptz NOT NULL
);
CREATE TABLE plan_range (
    country  text NOT NULL REFERENCES numbering_plan ON DELETE CASCADE,
    first    bigint NOT NULL,
    last     bigint NOT NULL,
    region   text CHECK (region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    operator text,
    PRIMARY KEY (country, first),
    CONSTRAINT plan_range_in_order CHECK (last >= first)
);

-- ISO 3166-2 of the caller's number; null is unknown
ALTER TABLE call ADD COLUMN caller_region text;

-- How many calls came to a site from each region that was seen there, in visits or in calls; both are added
-- up to the ids in `region_position`, a minute behind.
CREATE TABLE region_seen (
    site_id bigint NOT NULL REFERENCES site ON DELETE CASCADE,
    region  text NOT NULL,
    calls   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, region)
);
CREATE TABLE region_position (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    call_id    bigint NOT NULL DEFAULT 0,
    session_id bigint NOT NULL DEFAULT 0
);
INSERT INTO region_position DEFAULT VALUES;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
