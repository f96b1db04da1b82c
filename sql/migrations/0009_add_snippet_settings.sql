-- migrate:up

-- A page may show several numbers, each served by pools of its own. A pool named here gives numbers in the
-- place of this one; all others serve the site's main number.
CREATE TABLE page_number (
    pool_id bigint PRIMARY KEY REFERENCES pool ON DELETE CASCADE,
    e164    text NOT NULL CONSTRAINT page_number_format CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$')
);

CREATE TABLE site_snippet (
    site_id       bigint PRIMARY KEY REFERENCES site ON DELETE CASCADE,
    -- the visitor's cookie is set for it and all hosts below it; null: for the router's own host alone
    cookie_domain text CONSTRAINT site_snippet_cookie_domain CHECK (cookie_domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'),
    -- SHA-256 of the token with which the site's own server asks for visitors
    server_digest bytea
);

-- Every snippet that was ever served here under an address of its own: pages that name one with its
-- integrity hash keep working whatever router is installed later.
CREATE TABLE snippet_version (
    version         text PRIMARY KEY CHECK (version ~ '^[0-9a-f]{20}$'),
    body            bytea NOT NULL,
    first_served_at timestamptz NOT NULL
);

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
