-- migrate:up

-- What reservation tokens are signed with, by every router. The newest signs; the one before it is still taken.
-- A row is made whole by its defaults: 366 random bits, pressed into the 32 bytes of a key.
CREATE TABLE reservation_token_key (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    secret  bytea NOT NULL DEFAULT sha256(
                uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
            CHECK (length(secret) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO reservation_token_key DEFAULT VALUES;

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
