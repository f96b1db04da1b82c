-- migrate:up

-- ---------------------------------------------------------------------------
-- Pools: the policy by which numbers are handed out, and what it needs to know
-- ---------------------------------------------------------------------------

ALTER TABLE pool DROP CONSTRAINT pool_policy_check;
ALTER TABLE pool
    ADD CONSTRAINT pool_policy CHECK (
        policy IN ('balanced', 'exclusive', 'longest_idle', 'uis', 'ringostat', 'mango')
    ),
    -- How long a number stays reserved after its visitor's activity, by how that ended: the policies
    -- balanced and exclusive. The others know reservation_seconds alone.
    ADD COLUMN closed_seconds integer NOT NULL DEFAULT 600 CONSTRAINT pool_closed_time CHECK (closed_seconds BETWEEN 60 AND 604800),
    ADD COLUMN left_seconds   integer NOT NULL DEFAULT 1200 CONSTRAINT pool_left_time CHECK (left_seconds BETWEEN 60 AND 604800),
    ADD COLUMN idle_seconds   integer NOT NULL DEFAULT 900 CONSTRAINT pool_idle_time CHECK (idle_seconds BETWEEN 60 AND 604800),
    ADD COLUMN bounce_seconds integer NOT NULL DEFAULT 180 CONSTRAINT pool_bounce_time CHECK (bounce_seconds BETWEEN 60 AND 604800),
    ADD COLUMN tapped_seconds integer NOT NULL DEFAULT 1800 CONSTRAINT pool_tapped_time CHECK (tapped_seconds BETWEEN 60 AND 604800),
    -- what cutting a reservation's tail short costs, against the purity of sources
    ADD COLUMN price          double precision NOT NULL DEFAULT 3 CONSTRAINT pool_price CHECK (price BETWEEN 0 AND 1000000),
    ADD COLUMN goal           text NOT NULL DEFAULT 'coverage' CONSTRAINT pool_goal CHECK (goal IN ('coverage', 'accuracy')),
    ADD COLUMN aim            double precision NOT NULL DEFAULT 0.9 CONSTRAINT pool_aim CHECK (aim > 0 AND aim < 1),
    -- Empty: a number is held by a visitor. Else by a combination of these parameters.
    ADD COLUMN binding        text[] NOT NULL DEFAULT '{}' CONSTRAINT pool_binding CHECK (binding <@ ARRAY['source', 'medium', 'campaign', 'term', 'content']),
    -- may be given numbers of the organisation's shared pool
    ADD COLUMN grows          boolean NOT NULL DEFAULT false,
    -- What its numbers are for: they have both from here, so moving a number changes them.
    ADD COLUMN channel        text,
    ADD COLUMN region         text CONSTRAINT pool_region_format CHECK (region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$');

-- ---------------------------------------------------------------------------
-- Sessions: what handing out and attribution compare
-- ---------------------------------------------------------------------------

ALTER TABLE session
    -- what the traffic rules made of its touch
    ADD COLUMN channel     text NOT NULL DEFAULT '',
    -- ISO 3166-2 of the visitor's address; null is unknown
    ADD COLUMN region      text,
    ADD COLUMN city        text,
    -- calls expected of such a visit, as they were reckoned when it began
    ADD COLUMN rate        double precision NOT NULL DEFAULT 0.03 CHECK (rate BETWEEN 0 AND 1),
    -- when its page was seen to be looked at: until then it may be a machine that drains the pool
    ADD COLUMN verified_at timestamptz;

-- ---------------------------------------------------------------------------
-- Numbers: whether one may be shown, and where it comes from
-- ---------------------------------------------------------------------------

ALTER TABLE number
    -- in_use       its pool shows it to visitors
    -- listening    new: answered, not shown until it is known to be quiet
    -- quarantined  it rings without having been shown: answered, not shown
    -- shared       clean and nobody's: it waits in the organisation's shared pool
    -- resting      taken back from a site, still answered for it until its memory has faded
    ADD COLUMN standing text NOT NULL DEFAULT 'in_use' CONSTRAINT number_standing CHECK (
        standing IN ('in_use', 'listening', 'quarantined', 'shared', 'resting')
    ),
    ADD COLUMN carrier  text,
    ADD COLUMN region   text CONSTRAINT number_region_format CHECK (region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
    -- the sessions it was handed to last, newest first, three at most
    ADD COLUMN ring     bigint[] NOT NULL DEFAULT '{}' CONSTRAINT number_ring_short CHECK (cardinality(ring) <= 3),
    -- campaign key of the newest of them
    ADD COLUMN last_campaign text;

DROP INDEX number_longest_idle;
CREATE INDEX number_longest_idle ON number (pool_id, released_at, id)
    WHERE holder_id IS NULL AND withdrawn_at IS NULL AND standing = 'in_use';

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
