-- Generated from sql/migrations by `make schema`; a test asserts that they are equal. Do not edit.
CREATE TABLE public.pool (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    site_id bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    policy text DEFAULT 'longest_idle'::text NOT NULL,
    priority integer DEFAULT 100 NOT NULL,
    reservation_seconds integer DEFAULT 900 NOT NULL,
    rules jsonb DEFAULT '[]'::jsonb NOT NULL,
    default_number text,
    target_id bigint,
    record boolean DEFAULT true NOT NULL,
    source text,
    medium text,
    campaign text,
    created_at timestamp with time zone NOT NULL,
    closed_seconds integer DEFAULT 600 NOT NULL,
    left_seconds integer DEFAULT 1200 NOT NULL,
    idle_seconds integer DEFAULT 900 NOT NULL,
    bounce_seconds integer DEFAULT 180 NOT NULL,
    tapped_seconds integer DEFAULT 1800 NOT NULL,
    price double precision DEFAULT 3 NOT NULL,
    goal text DEFAULT 'coverage'::text NOT NULL,
    aim double precision DEFAULT 0.9 NOT NULL,
    binding text[] DEFAULT '{}'::text[] NOT NULL,
    grows boolean DEFAULT false NOT NULL,
    channel text,
    region text,
    CONSTRAINT pool_aim CHECK (((aim > (0)::double precision) AND (aim < (1)::double precision))),
    CONSTRAINT pool_binding CHECK ((binding <@ ARRAY['source'::text, 'medium'::text, 'campaign'::text, 'term'::text, 'content'::text])),
    CONSTRAINT pool_bounce_time CHECK (((bounce_seconds >= 60) AND (bounce_seconds <= 604800))),
    CONSTRAINT pool_closed_time CHECK (((closed_seconds >= 60) AND (closed_seconds <= 604800))),
    CONSTRAINT pool_default_number_format CHECK ((default_number ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT pool_goal CHECK ((goal = ANY (ARRAY['coverage'::text, 'accuracy'::text]))),
    CONSTRAINT pool_idle_time CHECK (((idle_seconds >= 60) AND (idle_seconds <= 604800))),
    CONSTRAINT pool_kind_check CHECK ((kind = ANY (ARRAY['static'::text, 'dynamic'::text]))),
    CONSTRAINT pool_left_time CHECK (((left_seconds >= 60) AND (left_seconds <= 604800))),
    CONSTRAINT pool_name_check CHECK ((name <> ''::text)),
    CONSTRAINT pool_policy CHECK ((policy = ANY (ARRAY['balanced'::text, 'exclusive'::text, 'longest_idle'::text, 'uis'::text, 'ringostat'::text, 'mango'::text]))),
    CONSTRAINT pool_price CHECK (((price >= (0)::double precision) AND (price <= (1000000)::double precision))),
    CONSTRAINT pool_region_format CHECK ((region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'::text)),
    CONSTRAINT pool_reservation_time CHECK (((reservation_seconds >= 60) AND (reservation_seconds <= 604800))),
    CONSTRAINT pool_static_has_source CHECK (((kind = 'dynamic'::text) OR (source IS NOT NULL))),
    CONSTRAINT pool_tapped_time CHECK (((tapped_seconds >= 60) AND (tapped_seconds <= 604800)))
);

CREATE FUNCTION public.reserved_until(pool public.pool, started_at timestamp with time zone, seen_at timestamp with time zone, input_at timestamp with time zone, gone_at timestamp with time zone, gone_kind text, tapped_at timestamp with time zone, issued_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN (SELECT CASE WHEN ((reserved_until.pool).policy = 'uis'::text) THEN GREATEST((reserved_until.issued_at + make_interval(secs => ((reserved_until.pool).reservation_seconds)::double precision)), activity.ended_at) WHEN ((reserved_until.pool).policy <> ALL (ARRAY['balanced'::text, 'exclusive'::text])) THEN (activity.ended_at + make_interval(secs => ((reserved_until.pool).reservation_seconds)::double precision)) ELSE (activity.ended_at + make_interval(secs => (GREATEST(CASE WHEN (activity.last_input < (reserved_until.started_at + '00:00:15'::interval)) THEN (reserved_until.pool).bounce_seconds WHEN activity.idle THEN (reserved_until.pool).idle_seconds WHEN (activity.beacon AND (reserved_until.gone_kind = 'close'::text)) THEN (reserved_until.pool).closed_seconds ELSE (reserved_until.pool).left_seconds END, CASE WHEN (reserved_until.tapped_at IS NOT NULL) THEN (reserved_until.pool).tapped_seconds ELSE 0 END))::double precision)) END AS "case" FROM (SELECT went.beacon, went.idle, CASE WHEN went.idle THEN (reserved_until.input_at + '00:00:30'::interval) ELSE went.at END AS ended_at, CASE WHEN went.idle THEN reserved_until.input_at WHEN (went.beacon AND (reserved_until.gone_kind IS NOT NULL)) THEN went.at ELSE reserved_until.seen_at END AS last_input FROM (SELECT gone.beacon, gone.at, (((reserved_until.seen_at - reserved_until.input_at) >= '00:00:30'::interval) AND ((gone.at - reserved_until.input_at) >= '00:00:30'::interval)) AS idle FROM (SELECT COALESCE((reserved_until.gone_at < (reserved_until.seen_at + '00:01:15'::interval)), false) AS beacon, LEAST(reserved_until.gone_at, (reserved_until.seen_at + '00:01:15'::interval)) AS at) gone) went) activity);

CREATE TABLE public.session (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    site_id bigint NOT NULL,
    key uuid NOT NULL,
    visitor uuid NOT NULL,
    ordinal integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    input_at timestamp with time zone NOT NULL,
    gone_at timestamp with time zone,
    gone_kind text,
    tapped_at timestamp with time zone,
    tapped_number text,
    copied_at timestamp with time zone,
    device text,
    landing_url text NOT NULL,
    referrer text NOT NULL,
    source text NOT NULL,
    medium text NOT NULL,
    campaign text NOT NULL,
    term text NOT NULL,
    content text NOT NULL,
    click_ids jsonb NOT NULL,
    number_id bigint,
    shown text NOT NULL,
    overflow boolean DEFAULT false NOT NULL,
    called double precision DEFAULT 0 NOT NULL,
    channel text DEFAULT ''::text NOT NULL,
    region text,
    city text,
    rate double precision DEFAULT 0.03 NOT NULL,
    verified_at timestamp with time zone,
    moved_to bigint,
    bound_to text,
    pool_id bigint,
    found_free boolean,
    counted_until timestamp with time zone,
    CONSTRAINT session_called_check CHECK (((called >= (0)::double precision) AND (called <= (1)::double precision))),
    CONSTRAINT session_device_check CHECK ((device = ANY (ARRAY['mobile'::text, 'desktop'::text]))),
    CONSTRAINT session_gone_kind_check CHECK ((gone_kind = ANY (ARRAY['hide'::text, 'close'::text]))),
    CONSTRAINT session_ordinal_check CHECK ((ordinal > 0)),
    CONSTRAINT session_rate_check CHECK (((rate >= (0)::double precision) AND (rate <= (1)::double precision)))
)
WITH (fillfactor='70');

CREATE FUNCTION public.counted_until(session public.session, now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN (SELECT COALESCE((counted_until.session).counted_until, CASE WHEN (due.at <= counted_until.now) THEN due.at ELSE NULL::timestamp with time zone END) AS "coalesce" FROM (SELECT (SELECT public.reserved_until(pool.*, (counted_until.session).started_at, (counted_until.session).seen_at, (counted_until.session).input_at, (counted_until.session).gone_at, (counted_until.session).gone_kind, (counted_until.session).tapped_at, (counted_until.session).started_at) AS reserved_until FROM public.pool WHERE (pool.id = (counted_until.session).pool_id)) AS at) due);

CREATE FUNCTION public.forget_changed_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE number_past SET version = version + 1, packed = NULL, kinds = NULL, unsettled = NULL
    WHERE number_id = NEW.number_id AND built_at >= NEW.started_at
      AND (packed IS NULL OR NOT NEW.session_id = ANY (unsettled));
    RETURN NULL;
END
$$;

CREATE FUNCTION public.forget_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE number_past SET version = version + 1, packed = NULL, kinds = NULL, unsettled = NULL
    WHERE number_id IN (SELECT number_id FROM reservation WHERE session_id = NEW.id)
      AND built_at > OLD.seen_at + interval '50 minutes';
    RETURN NULL;
END
$$;

CREATE FUNCTION public.keep_number_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO number_change (number_id, e164, pool_id, withdrawn)
    VALUES (NEW.id, NEW.e164, NEW.pool_id, NEW.withdrawn_at IS NOT NULL);
    RETURN NULL;
END
$$;

CREATE FUNCTION public.tell_of_routes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('routes', '');
    RETURN NULL;
END
$$;

CREATE TABLE public.access_token (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    scope text DEFAULT 'read'::text NOT NULL,
    CONSTRAINT access_token_name_check CHECK ((name <> ''::text)),
    CONSTRAINT access_token_scope CHECK ((scope = ANY (ARRAY['read'::text, 'write'::text])))
);

ALTER TABLE public.access_token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.access_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.attribution (
    id bigint NOT NULL,
    call_id bigint NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    model text NOT NULL,
    method text NOT NULL,
    level text NOT NULL,
    confidence double precision NOT NULL,
    session_id bigint,
    pool_id bigint,
    source text,
    medium text,
    campaign text,
    term text,
    content text,
    evidence jsonb NOT NULL,
    runners_up jsonb NOT NULL,
    inputs jsonb NOT NULL,
    channel text,
    CONSTRAINT attribution_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT attribution_level_check CHECK ((level = ANY (ARRAY['session'::text, 'campaign'::text, 'source'::text, 'none'::text]))),
    CONSTRAINT attribution_method_check CHECK ((method = ANY (ARRAY['reservation'::text, 'static'::text, 'default'::text, 'without_session'::text, 'unknown_number'::text])))
);

ALTER TABLE public.attribution ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.attribution_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit_entry (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE public.audit_entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.block (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    prefix text NOT NULL,
    places integer NOT NULL,
    block_id text DEFAULT ''::text NOT NULL,
    carrier text,
    region text,
    rate_centre text,
    contaminated text[] DEFAULT '{}'::text[] NOT NULL,
    ported text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT block_places_check CHECK (((places >= 1) AND (places <= 4))),
    CONSTRAINT block_prefix_check CHECK ((prefix ~ '^\+[1-9][0-9]{1,13}$'::text)),
    CONSTRAINT block_region_format CHECK ((region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'::text))
);

ALTER TABLE public.block ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.block_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.call (
    id bigint NOT NULL,
    organisation_id bigint,
    ref text NOT NULL,
    linkedid text NOT NULL,
    site_id bigint,
    number_id bigint,
    did text NOT NULL,
    caller text NOT NULL,
    trunk text NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    outcome text,
    route_source text,
    target_id bigint,
    target text,
    ringing_at timestamp with time zone,
    answered_at timestamp with time zone,
    ended_at timestamp with time zone,
    ring_ms integer,
    talk_ms integer,
    hung_up_by text,
    hangup_cause integer,
    sip_call_id text,
    attribution_id bigint,
    events integer DEFAULT 0 NOT NULL,
    recordings_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    caller_region text,
    CONSTRAINT call_hung_up_by_check CHECK ((hung_up_by = ANY (ARRAY['caller'::text, 'company'::text, 'system'::text]))),
    CONSTRAINT call_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'busy'::text, 'no_answer'::text, 'cancelled'::text, 'failed'::text, 'refused'::text, 'lost'::text]))),
    CONSTRAINT call_ref_check CHECK ((ref ~ '^[A-Za-z0-9_-]{8,64}$'::text)),
    CONSTRAINT call_ring_ms_check CHECK ((ring_ms >= 0)),
    CONSTRAINT call_route_source_check CHECK ((route_source = ANY (ARRAY['router'::text, 'failsafe_number'::text, 'failsafe_trunk'::text, 'failsafe_default'::text]))),
    CONSTRAINT call_state_check CHECK ((state = ANY (ARRAY['arrived'::text, 'ringing'::text, 'talking'::text, 'ended'::text]))),
    CONSTRAINT call_talk_ms_check CHECK ((talk_ms >= 0))
)
WITH (fillfactor='80');

CREATE TABLE public.call_event (
    linkedid text NOT NULL,
    digest bytea NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    uniqueid text NOT NULL,
    data jsonb NOT NULL
);

ALTER TABLE public.call ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.call_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.cel_position (
    host text NOT NULL,
    inode bigint NOT NULL,
    read_bytes bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    head text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.channel (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    place integer DEFAULT 100 NOT NULL,
    rules jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT channel_key_format CHECK ((key ~ '^[a-z0-9][a-z0-9_-]{0,39}$'::text)),
    CONSTRAINT channel_name_check CHECK ((name <> ''::text))
);

ALTER TABLE public.channel ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.channel_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.code_change (
    id bigint NOT NULL,
    old text NOT NULL,
    new text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    applied_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT code_change_forms_differ CHECK ((old <> new)),
    CONSTRAINT code_change_new_check CHECK ((new ~ '^\+[1-9][0-9]{0,13}$'::text)),
    CONSTRAINT code_change_old_check CHECK ((old ~ '^\+[1-9][0-9]{0,13}$'::text)),
    CONSTRAINT code_change_times_in_order CHECK ((until_at > from_at))
);

ALTER TABLE public.code_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.code_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.default_number (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    site_id bigint NOT NULL,
    channel text,
    source text,
    e164 text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT default_number_for_one CHECK (((channel IS NULL) <> (source IS NULL))),
    CONSTRAINT default_number_format CHECK ((e164 ~ '^\+[1-9][0-9]{6,14}$'::text))
);

ALTER TABLE public.default_number ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.default_number_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.kept_answer (
    organisation_id bigint NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    status integer,
    body bytea,
    etag text,
    CONSTRAINT kept_answer_key_check CHECK ((key <> ''::text))
);

CREATE TABLE public.number (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    e164 text NOT NULL,
    trunk_id bigint,
    pool_id bigint,
    target_id bigint,
    record boolean,
    created_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    holder_id bigint,
    reservation_id bigint,
    issued_at timestamp with time zone,
    reserved_until timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    released_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    standing text DEFAULT 'in_use'::text NOT NULL,
    carrier text,
    region text,
    ring bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    last_campaign text,
    holder_left boolean DEFAULT false NOT NULL,
    silent_at timestamp with time zone,
    bound_to text,
    block_id bigint,
    rate_centre text,
    monthly_cost numeric(12,4),
    currency text,
    leaves_at timestamp with time zone,
    standing_since timestamp with time zone,
    grown_at timestamp with time zone,
    moves_to bigint,
    CONSTRAINT number_currency CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT number_e164_format CHECK ((e164 ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT number_monthly_cost CHECK ((monthly_cost >= (0)::numeric)),
    CONSTRAINT number_region_format CHECK ((region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'::text)),
    CONSTRAINT number_ring_short CHECK ((cardinality(ring) <= 3)),
    CONSTRAINT number_shared_has_no_pool CHECK (((standing <> 'shared'::text) OR (pool_id IS NULL))),
    CONSTRAINT number_standing CHECK ((standing = ANY (ARRAY['in_use'::text, 'listening'::text, 'quarantined'::text, 'shared'::text, 'resting'::text])))
)
WITH (fillfactor='70');

CREATE TABLE public.number_change (
    id bigint NOT NULL,
    number_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    e164 text NOT NULL,
    pool_id bigint,
    withdrawn boolean NOT NULL
);

ALTER TABLE public.number_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.number_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.number ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.number_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.number_mass (
    number_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    masses json NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE public.number_past (
    number_id bigint NOT NULL,
    built_at timestamp with time zone NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    packed bytea,
    kinds jsonb,
    unsettled bigint[]
);
ALTER TABLE ONLY public.number_past ALTER COLUMN packed SET STORAGE EXTERNAL;

CREATE TABLE public.number_standing_change (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    number_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    from_standing text NOT NULL,
    to_standing text NOT NULL,
    pool_id bigint,
    why text NOT NULL,
    actor text NOT NULL,
    CONSTRAINT number_standing_change_actor_check CHECK ((actor <> ''::text)),
    CONSTRAINT number_standing_change_why_check CHECK ((why <> ''::text))
);

ALTER TABLE public.number_standing_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.number_standing_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.numbering_plan (
    country text NOT NULL,
    version bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL,
    CONSTRAINT numbering_plan_country_check CHECK ((country ~ '^[A-Z]{2}$'::text))
);

CREATE TABLE public.organisation (
    id bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT organisation_name_check CHECK ((name <> ''::text))
);

ALTER TABLE public.organisation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.organisation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.organisation_setting (
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    value jsonb NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.outage (
    id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    prolonged integer NOT NULL,
    CONSTRAINT outage_times_in_order CHECK ((ended_at > started_at))
);

ALTER TABLE public.outage ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outage_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.page_number (
    pool_id bigint NOT NULL,
    e164 text NOT NULL,
    CONSTRAINT page_number_format CHECK ((e164 ~ '^\+[1-9][0-9]{6,14}$'::text))
);

CREATE TABLE public.plan_range (
    country text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    region text,
    operator text,
    CONSTRAINT plan_range_in_order CHECK ((last >= first)),
    CONSTRAINT plan_range_region_check CHECK ((region ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'::text))
);

CREATE TABLE public.pool_coverage (
    pool_id bigint NOT NULL,
    reckoned_at timestamp with time zone NOT NULL,
    since timestamp with time zone NOT NULL,
    days integer NOT NULL,
    numbers integer NOT NULL,
    visits integer NOT NULL,
    covered integer NOT NULL,
    error double precision NOT NULL,
    found_free integer NOT NULL,
    CONSTRAINT pool_coverage_check CHECK (((covered >= 0) AND (covered <= visits))),
    CONSTRAINT pool_coverage_check1 CHECK (((found_free >= 0) AND (found_free <= visits))),
    CONSTRAINT pool_coverage_days_check CHECK ((days > 0)),
    CONSTRAINT pool_coverage_error_check CHECK ((error >= (0)::double precision)),
    CONSTRAINT pool_coverage_numbers_check CHECK ((numbers >= 0)),
    CONSTRAINT pool_coverage_visits_check CHECK ((visits > 0))
);

ALTER TABLE public.pool ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pool_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.recording (
    id bigint NOT NULL,
    call_id bigint NOT NULL,
    path text NOT NULL,
    bytes bigint NOT NULL,
    duration_ms integer NOT NULL,
    truncated boolean NOT NULL,
    found_at timestamp with time zone NOT NULL,
    CONSTRAINT recording_bytes_check CHECK ((bytes >= 0)),
    CONSTRAINT recording_duration_ms_check CHECK ((duration_ms >= 0))
);

ALTER TABLE public.recording ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.recording_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.region_position (
    one boolean DEFAULT true NOT NULL,
    call_id bigint DEFAULT 0 NOT NULL,
    session_id bigint DEFAULT 0 NOT NULL,
    CONSTRAINT region_position_one_check CHECK (one)
);

CREATE TABLE public.region_seen (
    site_id bigint NOT NULL,
    region text NOT NULL,
    calls bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.reservation (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    number_id bigint NOT NULL,
    session_id bigint NOT NULL,
    pool_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    changed_at timestamp with time zone,
    shared boolean DEFAULT false NOT NULL,
    CONSTRAINT reservation_changed_while_shown CHECK ((changed_at >= started_at)),
    CONSTRAINT reservation_end_reason_check CHECK ((end_reason = ANY (ARRAY['expired'::text, 'taken'::text, 'moved'::text, 'withdrawn'::text]))),
    CONSTRAINT reservation_times_in_order CHECK ((ended_at >= started_at))
)
WITH (fillfactor='90');

ALTER TABLE public.reservation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reservation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reservation_token_key (
    id bigint NOT NULL,
    secret bytea DEFAULT sha256(((uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) || uuid_send(gen_random_uuid()))) NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reservation_token_key_secret_check CHECK ((length(secret) = 32))
);

ALTER TABLE public.reservation_token_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reservation_token_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.router_pulse (
    router text NOT NULL,
    at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE public.session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sign_in_code (
    digest bytea NOT NULL,
    organisation_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.site (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    origins text[] NOT NULL,
    region text NOT NULL,
    time_zone text NOT NULL,
    default_number text NOT NULL,
    page_numbers text[] NOT NULL,
    target_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT site_default_number_format CHECK ((default_number ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT site_key_check CHECK ((key ~ '^[A-Za-z0-9_-]{8,64}$'::text)),
    CONSTRAINT site_name_check CHECK ((name <> ''::text)),
    CONSTRAINT site_region_check CHECK ((region ~ '^[A-Z]{2}$'::text))
);

ALTER TABLE public.site ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.site_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.site_snippet (
    site_id bigint NOT NULL,
    cookie_domain text,
    server_digest bytea,
    CONSTRAINT site_snippet_cookie_domain CHECK ((cookie_domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'::text))
);

CREATE TABLE public.snippet_version (
    version text NOT NULL,
    body bytea NOT NULL,
    first_served_at timestamp with time zone NOT NULL,
    CONSTRAINT snippet_version_version_check CHECK ((version ~ '^[0-9a-f]{20}$'::text))
);

CREATE TABLE public.staff_session (
    digest bytea NOT NULL,
    organisation_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE public.taken_back (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    number_id bigint NOT NULL,
    site_id bigint NOT NULL,
    pool_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    grown_at timestamp with time zone NOT NULL,
    last_shown_at timestamp with time zone,
    last_call_at timestamp with time zone,
    given_at timestamp with time zone
);

ALTER TABLE public.taken_back ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.taken_back_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.target (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    endpoint text,
    e164 text,
    trunk_id bigint,
    ring_seconds integer DEFAULT 25 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT target_e164_format CHECK ((e164 ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT target_endpoint_check CHECK ((endpoint ~ '^[A-Za-z0-9_.-]{1,60}$'::text)),
    CONSTRAINT target_kind_check CHECK ((kind = ANY (ARRAY['endpoint'::text, 'pstn'::text]))),
    CONSTRAINT target_kind_fields CHECK ((((kind = 'endpoint'::text) AND (endpoint IS NOT NULL) AND (e164 IS NULL) AND (trunk_id IS NULL)) OR ((kind = 'pstn'::text) AND (e164 IS NOT NULL) AND (trunk_id IS NOT NULL) AND (endpoint IS NULL)))),
    CONSTRAINT target_name_check CHECK ((name <> ''::text)),
    CONSTRAINT target_ring_seconds_check CHECK (((ring_seconds >= 1) AND (ring_seconds <= 120)))
);

ALTER TABLE public.target ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.target_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.touch (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    site_id bigint NOT NULL,
    visitor uuid NOT NULL,
    session_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    url text NOT NULL,
    referrer text NOT NULL,
    source text NOT NULL,
    medium text NOT NULL,
    campaign text NOT NULL,
    term text NOT NULL,
    content text NOT NULL,
    click_ids jsonb NOT NULL,
    channel text NOT NULL
);

ALTER TABLE public.touch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.touch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.trunk (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    target_id bigint,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT trunk_name_check CHECK ((name ~ '^[A-Za-z0-9_-]{1,40}$'::text))
);

ALTER TABLE public.trunk ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.trunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attribution
    ADD CONSTRAINT attribution_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.block
    ADD CONSTRAINT block_once UNIQUE (prefix);

ALTER TABLE ONLY public.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.call_event
    ADD CONSTRAINT call_event_pkey PRIMARY KEY (linkedid, digest);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_once UNIQUE (linkedid);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_ref_key UNIQUE (ref);

ALTER TABLE ONLY public.cel_position
    ADD CONSTRAINT cel_position_pkey PRIMARY KEY (host);

ALTER TABLE ONLY public.channel
    ADD CONSTRAINT channel_key_once UNIQUE (organisation_id, key);

ALTER TABLE ONLY public.channel
    ADD CONSTRAINT channel_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.code_change
    ADD CONSTRAINT code_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_of_channel UNIQUE (site_id, channel);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_of_source UNIQUE (site_id, source);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_once UNIQUE (e164);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.kept_answer
    ADD CONSTRAINT kept_answer_pkey PRIMARY KEY (organisation_id, key);

ALTER TABLE ONLY public.number_change
    ADD CONSTRAINT number_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.number_mass
    ADD CONSTRAINT number_mass_pkey PRIMARY KEY (number_id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_once UNIQUE (e164);

ALTER TABLE ONLY public.number_past
    ADD CONSTRAINT number_past_pkey PRIMARY KEY (number_id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.number_standing_change
    ADD CONSTRAINT number_standing_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.numbering_plan
    ADD CONSTRAINT numbering_plan_pkey PRIMARY KEY (country);

ALTER TABLE ONLY public.organisation
    ADD CONSTRAINT organisation_name_key UNIQUE (name);

ALTER TABLE ONLY public.organisation
    ADD CONSTRAINT organisation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organisation_setting
    ADD CONSTRAINT organisation_setting_pkey PRIMARY KEY (organisation_id, name);

ALTER TABLE ONLY public.outage
    ADD CONSTRAINT outage_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_number
    ADD CONSTRAINT page_number_pkey PRIMARY KEY (pool_id);

ALTER TABLE ONLY public.plan_range
    ADD CONSTRAINT plan_range_pkey PRIMARY KEY (country, first);

ALTER TABLE ONLY public.pool_coverage
    ADD CONSTRAINT pool_coverage_pkey PRIMARY KEY (pool_id);

ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_name_once UNIQUE (site_id, name);

ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_once UNIQUE (path);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.region_position
    ADD CONSTRAINT region_position_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.region_seen
    ADD CONSTRAINT region_seen_pkey PRIMARY KEY (site_id, region);

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reservation_token_key
    ADD CONSTRAINT reservation_token_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.router_pulse
    ADD CONSTRAINT router_pulse_pkey PRIMARY KEY (router);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_key_key UNIQUE (key);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_ordinal_once UNIQUE (site_id, visitor, ordinal);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_code
    ADD CONSTRAINT sign_in_code_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_key_once UNIQUE (key);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_name_once UNIQUE (organisation_id, name);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.site_snippet
    ADD CONSTRAINT site_snippet_pkey PRIMARY KEY (site_id);

ALTER TABLE ONLY public.snippet_version
    ADD CONSTRAINT snippet_version_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.taken_back
    ADD CONSTRAINT taken_back_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.target
    ADD CONSTRAINT target_name_once UNIQUE (organisation_id, name);

ALTER TABLE ONLY public.target
    ADD CONSTRAINT target_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.touch
    ADD CONSTRAINT touch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_name_key UNIQUE (name);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_pkey PRIMARY KEY (id);

CREATE INDEX attribution_of_call ON public.attribution USING btree (call_id, id);

CREATE INDEX audit_recent ON public.audit_entry USING btree (organisation_id, at DESC);

CREATE INDEX call_of_caller ON public.call USING btree (caller, arrived_at DESC) WHERE (caller <> ''::text);

CREATE INDEX call_of_number ON public.call USING btree (number_id, arrived_at DESC);

CREATE INDEX call_recent ON public.call USING btree (organisation_id, arrived_at DESC, id DESC);

CREATE INDEX call_unattributed ON public.call USING btree (arrived_at) WHERE (attribution_id IS NULL);

CREATE INDEX call_unfinished ON public.call USING btree (arrived_at) WHERE (state <> 'ended'::text);

CREATE INDEX call_unheard ON public.call USING btree (ended_at) WHERE ((answered_at IS NOT NULL) AND (recordings_at IS NULL));

CREATE INDEX kept_answer_old ON public.kept_answer USING btree (created_at);

CREATE INDEX number_aside ON public.number USING btree (standing, organisation_id, released_at, id) WHERE ((standing <> 'in_use'::text) AND (withdrawn_at IS NULL));

CREATE UNIQUE INDEX number_bound_once ON public.number USING btree (pool_id, bound_to) WHERE (bound_to IS NOT NULL);

CREATE INDEX number_change_of_number ON public.number_change USING btree (number_id, id);

CREATE INDEX number_grown ON public.number USING btree (pool_id) WHERE ((grown_at IS NOT NULL) AND (withdrawn_at IS NULL));

CREATE INDEX number_leaving ON public.number USING btree (leaves_at) WHERE ((leaves_at IS NOT NULL) AND (withdrawn_at IS NULL));

CREATE INDEX number_moving ON public.number USING btree (moves_to) WHERE ((moves_to IS NOT NULL) AND (withdrawn_at IS NULL));

CREATE INDEX number_of_block ON public.number USING btree (block_id) WHERE (block_id IS NOT NULL);

CREATE INDEX number_open ON public.number USING btree (pool_id, released_at, id) WHERE (((holder_id IS NULL) OR holder_left) AND (withdrawn_at IS NULL) AND (standing = 'in_use'::text));

CREATE INDEX number_open_of_campaign ON public.number USING btree (pool_id, last_campaign, released_at, id) WHERE (((holder_id IS NULL) OR holder_left) AND (withdrawn_at IS NULL) AND (standing = 'in_use'::text) AND (last_campaign IS NOT NULL));

CREATE INDEX number_taken ON public.number USING btree (pool_id) WHERE (holder_id IS NOT NULL);

CREATE INDEX recording_of_call ON public.recording USING btree (call_id);

CREATE INDEX reservation_of_number ON public.reservation USING btree (number_id, started_at DESC);

CREATE INDEX reservation_of_session ON public.reservation USING btree (session_id);

CREATE INDEX session_shown_default ON public.session USING btree (shown, started_at DESC) WHERE (number_id IS NULL);

CREATE INDEX standing_change_of_number ON public.number_standing_change USING btree (number_id, id DESC);

CREATE INDEX standing_change_recent ON public.number_standing_change USING btree (organisation_id, id DESC);

CREATE INDEX taken_back_of_site ON public.taken_back USING btree (site_id, at);

CREATE INDEX taken_back_open ON public.taken_back USING btree (number_id) WHERE (given_at IS NULL);

CREATE INDEX taken_back_recent ON public.taken_back USING btree (organisation_id, id DESC);

CREATE INDEX touch_of_session ON public.touch USING btree (session_id, at);

CREATE TRIGGER code_route_is_new AFTER INSERT OR DELETE OR UPDATE ON public.code_change FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

CREATE TRIGGER number_is_changed AFTER UPDATE OF e164, pool_id, withdrawn_at ON public.number FOR EACH ROW WHEN (((old.e164 <> new.e164) OR (old.pool_id IS DISTINCT FROM new.pool_id) OR ((old.withdrawn_at IS NULL) <> (new.withdrawn_at IS NULL)))) EXECUTE FUNCTION public.keep_number_change();

CREATE TRIGGER number_route_is_new AFTER INSERT OR DELETE OR UPDATE OF e164, pool_id, target_id, record, standing, withdrawn_at ON public.number FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

CREATE TRIGGER pool_route_is_new AFTER DELETE OR UPDATE OF site_id, target_id, record ON public.pool FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

CREATE TRIGGER reservation_is_not_past AFTER UPDATE OF changed_at ON public.reservation FOR EACH ROW WHEN ((new.changed_at IS DISTINCT FROM old.changed_at)) EXECUTE FUNCTION public.forget_changed_past();

CREATE TRIGGER session_is_not_past AFTER UPDATE ON public.session FOR EACH ROW WHEN (((new.called <> old.called) OR (new.seen_at > (old.seen_at + '00:50:00'::interval)) OR (new.gone_at > (old.seen_at + '00:50:00'::interval)) OR (new.tapped_at > (old.seen_at + '00:50:00'::interval)))) EXECUTE FUNCTION public.forget_past();

CREATE TRIGGER site_route_is_new AFTER DELETE OR UPDATE OF target_id ON public.site FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

CREATE TRIGGER target_route_is_new AFTER DELETE OR UPDATE ON public.target FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

CREATE TRIGGER trunk_route_is_new AFTER INSERT OR DELETE OR UPDATE ON public.trunk FOR EACH STATEMENT EXECUTE FUNCTION public.tell_of_routes();

ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.attribution
    ADD CONSTRAINT attribution_call_id_fkey FOREIGN KEY (call_id) REFERENCES public.call(id);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.block
    ADD CONSTRAINT block_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_attribution FOREIGN KEY (attribution_id) REFERENCES public.attribution(id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id);

ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_target_id_fkey FOREIGN KEY (target_id) REFERENCES public.target(id);

ALTER TABLE ONLY public.channel
    ADD CONSTRAINT channel_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.default_number
    ADD CONSTRAINT default_number_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id);

ALTER TABLE ONLY public.kept_answer
    ADD CONSTRAINT kept_answer_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_block_id_fkey FOREIGN KEY (block_id) REFERENCES public.block(id);

ALTER TABLE ONLY public.number_change
    ADD CONSTRAINT number_change_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.number_mass
    ADD CONSTRAINT number_mass_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_moves_to_fkey FOREIGN KEY (moves_to) REFERENCES public.pool(id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.number_past
    ADD CONSTRAINT number_past_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id);

ALTER TABLE ONLY public.number_standing_change
    ADD CONSTRAINT number_standing_change_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id);

ALTER TABLE ONLY public.number_standing_change
    ADD CONSTRAINT number_standing_change_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_target_id_fkey FOREIGN KEY (target_id) REFERENCES public.target(id);

ALTER TABLE ONLY public.number
    ADD CONSTRAINT number_trunk_id_fkey FOREIGN KEY (trunk_id) REFERENCES public.trunk(id);

ALTER TABLE ONLY public.organisation_setting
    ADD CONSTRAINT organisation_setting_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.page_number
    ADD CONSTRAINT page_number_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.plan_range
    ADD CONSTRAINT plan_range_country_fkey FOREIGN KEY (country) REFERENCES public.numbering_plan(country) ON DELETE CASCADE;

ALTER TABLE ONLY public.pool_coverage
    ADD CONSTRAINT pool_coverage_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES public.pool(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id);

ALTER TABLE ONLY public.pool
    ADD CONSTRAINT pool_target_id_fkey FOREIGN KEY (target_id) REFERENCES public.target(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_call_id_fkey FOREIGN KEY (call_id) REFERENCES public.call(id);

ALTER TABLE ONLY public.region_seen
    ADD CONSTRAINT region_seen_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id);

ALTER TABLE ONLY public.sign_in_code
    ADD CONSTRAINT sign_in_code_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.site_snippet
    ADD CONSTRAINT site_snippet_site_id_fkey FOREIGN KEY (site_id) REFERENCES public.site(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_target_id_fkey FOREIGN KEY (target_id) REFERENCES public.target(id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.taken_back
    ADD CONSTRAINT taken_back_number_id_fkey FOREIGN KEY (number_id) REFERENCES public.number(id);

ALTER TABLE ONLY public.taken_back
    ADD CONSTRAINT taken_back_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.target
    ADD CONSTRAINT target_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.target
    ADD CONSTRAINT target_trunk_id_fkey FOREIGN KEY (trunk_id) REFERENCES public.trunk(id);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES public.organisation(id);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_target FOREIGN KEY (target_id) REFERENCES public.target(id);
