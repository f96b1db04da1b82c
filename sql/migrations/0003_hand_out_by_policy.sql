-- migrate:up

-- ---------------------------------------------------------------------------
-- Numbers: what handing out by policy has to find quickly
-- ---------------------------------------------------------------------------

ALTER TABLE number
    -- Its holder said that he goes, or fell silent: only the tail of his reservation is running, and
    -- released_at is when that will be over.
    ADD COLUMN holder_left boolean NOT NULL DEFAULT false,
    -- When its holder counts as lost if nothing more is heard. Heartbeats move it: it is in no index.
    ADD COLUMN silent_at   timestamptz,
    -- the combination of parameters that holds it, or held it last, in a pool that binds its numbers to such
    ADD COLUMN bound_to    text;

UPDATE number SET silent_at = issued_at WHERE holder_id IS NOT NULL;
UPDATE number SET ring = ARRAY[reservation.session_id]
FROM reservation WHERE reservation.id = number.reservation_id;

-- Free numbers and those of which only a tail is running, those first that have been free, or will be, longest.
DROP INDEX number_longest_idle;
CREATE INDEX number_open ON number (pool_id, released_at, id)
    WHERE (holder_id IS NULL OR holder_left) AND withdrawn_at IS NULL AND standing = 'in_use';
-- The same of those that a campaign's visit was shown last.
CREATE INDEX number_open_of_campaign ON number (pool_id, last_campaign, released_at, id)
    WHERE (holder_id IS NULL OR holder_left) AND withdrawn_at IS NULL AND standing = 'in_use'
      AND last_campaign IS NOT NULL;
-- one number for each combination
CREATE UNIQUE INDEX number_bound_once ON number (pool_id, bound_to) WHERE bound_to IS NOT NULL;

-- What remains of visits that fell out of a number's ring: calls that are still expected of them, by source and
-- by campaign, as they were at `at`. Hand-outs alone write it: a table of its own spares the heartbeats its weight.
CREATE TABLE number_mass (
    number_id bigint PRIMARY KEY REFERENCES number ON DELETE CASCADE,
    at        timestamptz NOT NULL,
    -- {"total": [m, m, m, m], "sources": [[key, [m, m, m, m]], …], "campaigns": [[key, [m, m, m, m]], …]}
    masses    json NOT NULL
) WITH (fillfactor = 70);

-- ---------------------------------------------------------------------------
-- Sessions: who holds a number for whom
-- ---------------------------------------------------------------------------

ALTER TABLE session
    -- the visitor's next session, to which his open number moved: pages of this one speak for that one now
    ADD COLUMN moved_to bigint,
    -- the combination of parameters that holds the number it was shown
    ADD COLUMN bound_to text;

-- ---------------------------------------------------------------------------
-- Reservations: when the page was given another number
-- ---------------------------------------------------------------------------

-- The visit's own page shows another number since, or the default one. Whose number was only taken over keeps
-- the digits: this stays null.
ALTER TABLE reservation
    ADD COLUMN changed_at timestamptz,
    -- the number was still reserved for somebody else when it was handed out
    ADD COLUMN shared     boolean NOT NULL DEFAULT false;

UPDATE reservation SET changed_at = greatest(reservation.started_at, coalesce(
    (SELECT min(later.started_at) FROM reservation AS later
     WHERE later.session_id = reservation.session_id AND later.started_at > reservation.started_at
       AND later.number_id <> reservation.number_id),
    reservation.ended_at))
FROM session
WHERE session.id = reservation.session_id AND session.number_id IS DISTINCT FROM reservation.number_id;

ALTER TABLE reservation ADD CONSTRAINT reservation_changed_while_shown CHECK (changed_at >= started_at);

-- A visit of the past whose page is changed without its speaking is not past either.
CREATE FUNCTION forget_changed_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE number_past SET version = version + 1, packed = NULL, kinds = NULL, unsettled = NULL
    WHERE number_id = NEW.number_id AND built_at >= NEW.started_at
      AND (packed IS NULL OR NOT NEW.session_id = ANY (unsettled));
    RETURN NULL;
END
$$;
CREATE TRIGGER reservation_is_not_past AFTER UPDATE OF changed_at ON reservation FOR EACH ROW
    WHEN (NEW.changed_at IS DISTINCT FROM OLD.changed_at)
    EXECUTE FUNCTION forget_changed_past();

-- Until when a number stays reserved if nothing more is heard of the visit: what
-- domain/allocation/times.reserved_until says, for the statements that hear pages speak. A test holds the two equal.
CREATE FUNCTION reserved_until(
    pool pool, started_at timestamptz, seen_at timestamptz, input_at timestamptz, gone_at timestamptz,
    gone_kind text, tapped_at timestamptz, issued_at timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE RETURN (
    SELECT CASE
        WHEN (pool).policy = 'uis'
            THEN greatest(issued_at + make_interval(secs => (pool).reservation_seconds), activity.ended_at)
        WHEN (pool).policy NOT IN ('balanced', 'exclusive')
            THEN activity.ended_at + make_interval(secs => (pool).reservation_seconds)
        ELSE activity.ended_at + make_interval(secs => greatest(
            CASE WHEN activity.last_input < started_at + interval '15 s' THEN (pool).bounce_seconds
                 WHEN activity.idle THEN (pool).idle_seconds
                 WHEN activity.beacon AND gone_kind = 'close' THEN (pool).closed_seconds
                 ELSE (pool).left_seconds END,
            CASE WHEN tapped_at IS NOT NULL THEN (pool).tapped_seconds ELSE 0 END))
    END
    FROM (
        SELECT went.beacon, went.idle,
               CASE WHEN went.idle THEN input_at + interval '30 s' ELSE went.at END AS ended_at,
               CASE WHEN went.idle THEN input_at
                    WHEN went.beacon AND gone_kind IS NOT NULL THEN went.at
                    ELSE seen_at END AS last_input
        FROM (
            SELECT gone.beacon, gone.at,
                   seen_at - input_at >= interval '30 s' AND gone.at - input_at >= interval '30 s' AS idle
            FROM (
                SELECT coalesce(gone_at < seen_at + interval '75 s', false) AS beacon,
                       least(gone_at, seen_at + interval '75 s') AS at
            ) AS gone
        ) AS went
    ) AS activity
);

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
