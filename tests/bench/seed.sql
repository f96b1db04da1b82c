-- One company and its past. `:name` is written in by world.py; statements end with a semicolon at the
-- end of a line. Ids are given, so that what belongs together can be computed instead of looked up.

UPDATE reservation_token_key SET secret = :token_secret;
INSERT INTO organisation (name, created_at) VALUES ('Bench', :now - interval '2 years');
INSERT INTO target (organisation_id, name, kind, endpoint, created_at)
    VALUES (1, 'company', 'endpoint', 'company', :now - interval '2 years');
INSERT INTO trunk (organisation_id, name, target_id, created_at)
    VALUES (1, :trunk, 1, :now - interval '2 years');
INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, page_numbers, target_id, created_at)
    VALUES (1, :site_key, 'bench', ARRAY[:origin], 'RU', 'Europe/Moscow', '+74950000001', ARRAY['+74950000001'], 1, :now - interval '2 years');
INSERT INTO pool (organisation_id, site_id, name, kind, policy, reservation_seconds, closed_seconds, left_seconds, idle_seconds, bounce_seconds, created_at)
    VALUES (1, 1, 'visitors', 'dynamic', :policy, :hold_seconds, :hold_seconds, :hold_seconds, :hold_seconds, :hold_seconds, :now - interval '2 years');

INSERT INTO number (organisation_id, e164, trunk_id, pool_id, created_at, released_at)
    SELECT 1, '+' || (74951000000 + n), 1, 1, :now - interval '2 years', :now - interval '1 hour' + n * interval '1 microsecond'
    FROM generate_series(1, :numbers) n;

-- Reservation and session have the same id. A number's r-th one back is r hours before a month ago, so
-- the past is deep and nobody in it is a candidate for a call of today.
INSERT INTO session (id, organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at, device, landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id, shown)
    OVERRIDING SYSTEM VALUE
    SELECT n, 1, 1, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 1, at, at + interval '9 minutes', at + interval '8 minutes', 'desktop',
        'https://bench.example/flats/' || n % 50 || '?utm_source=google&utm_medium=cpc&utm_campaign=spring-' || n % 20, 'https://www.google.com/', 'google', 'cpc', 'spring-' || n % 20, 'flat', '', '{"gclid": "CjwKC"}',
        1 + (n - 1) % :numbers, '+' || (74951000001 + (n - 1) % :numbers)
    FROM generate_series(1, :reservations) n, LATERAL (SELECT :now - interval '31 days' - ((n - 1) / :numbers) * interval '1 hour' AS at) t;
INSERT INTO reservation (id, organisation_id, number_id, session_id, pool_id, started_at, ended_at, end_reason)
    OVERRIDING SYSTEM VALUE
    SELECT n, 1, 1 + (n - 1) % :numbers, n, 1, at, at + interval '40 minutes', 'expired'
    FROM generate_series(1, :reservations) n, LATERAL (SELECT :now - interval '31 days' - ((n - 1) / :numbers) * interval '1 hour' AS at) t;

-- Each number remembers whom it was handed to last.
UPDATE number SET ring = ARRAY(SELECT n FROM unnest(ARRAY[id, id + :numbers, id + 2 * :numbers]) n WHERE n <= :reservations),
    last_campaign = 'google / cpc' || chr(31) || 'spring-' || id % 20
    WHERE id <= :reservations;

-- Every fifth of them led to a call.
INSERT INTO call (id, organisation_id, ref, linkedid, site_id, number_id, did, caller, trunk, arrived_at, state, outcome, route_source, target_id, target, ringing_at, answered_at, ended_at, ring_ms, talk_ms, hung_up_by, hangup_cause, attribution_id, recordings_at, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT n, 1, 'seed' || lpad(n::text, 18, '0'), 'seed.' || n, 1, 1 + (n - 1) % :numbers, (74951000001 + (n - 1) % :numbers)::text, '+7916' || lpad((n % 900000)::text, 7, '0'), :trunk, at, 'ended', 'answered', 'router', 1, 'PJSIP/company', at, at + interval '6 seconds', at + interval '90 seconds', 6000, 84000, 'caller', 16, n, at + interval '91 seconds', at
    FROM generate_series(1, :reservations / 5) n, LATERAL (SELECT :now - interval '31 days' - ((n - 1) / :numbers) * interval '1 hour' + interval '3 minutes' AS at) t;
INSERT INTO attribution (id, call_id, decided_at, model, method, level, confidence, session_id, pool_id, source, medium, campaign, term, content, evidence, runners_up, inputs)
    OVERRIDING SYSTEM VALUE
    SELECT n, n, :now - interval '31 days', 'prior', 'reservation', 'session', 0.97, n, 1, 'google', 'cpc', 'spring-' || n % 20, 'flat', '', '[{"words": "held the number"}]', '[]', '{}'
    FROM generate_series(1, :reservations / 5) n;

-- The candidates of number 1: one every half hour of the last 30 days, each with another campaign.
INSERT INTO session (id, organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at, gone_at, gone_kind, device, landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id, shown)
    OVERRIDING SYSTEM VALUE
    SELECT :reservations + n, 1, 1, lpad(to_hex(:reservations + n), 32, '0')::uuid, lpad(to_hex(:reservations + n), 32, '0')::uuid, 1, at, at + interval '9 minutes', at + interval '8 minutes', at + interval '9 minutes', 'close', 'mobile',
        'https://bench.example/flats/' || n % 50 || '?utm_source=google&utm_medium=cpc&utm_campaign=spring-' || n % 20, 'https://www.google.com/', CASE n % 3 WHEN 0 THEN 'yandex' ELSE 'google' END, 'cpc', 'spring-' || n % 20, 'flat', '', '{"gclid": "CjwKC"}', 1, '+74951000001'
    FROM generate_series(1, :candidates) n, LATERAL (SELECT :now - interval '20 minutes' - n * interval '30 minutes' AS at) t;
INSERT INTO reservation (id, organisation_id, number_id, session_id, pool_id, started_at, ended_at, end_reason)
    OVERRIDING SYSTEM VALUE
    SELECT :reservations + n, 1, 1, :reservations + n, 1, at, at + interval '25 minutes', 'expired'
    FROM generate_series(1, :candidates) n, LATERAL (SELECT :now - interval '20 minutes' - n * interval '30 minutes' AS at) t;

-- Those who hold a number now: from the second number on.
INSERT INTO session (id, organisation_id, site_id, key, visitor, ordinal, started_at, seen_at, input_at, device, landing_url, referrer, source, medium, campaign, term, content, click_ids, number_id, shown)
    OVERRIDING SYSTEM VALUE
    SELECT :reservations + :candidates + n, 1, 1, ('5e55' || lpad(to_hex(n + 1), 28, '0'))::uuid, ('5e55' || lpad(to_hex(n + 1), 28, '0'))::uuid, 1, :now - interval '2 minutes', :now, :now, 'desktop',
        'https://bench.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring', '', 'google', 'cpc', 'spring', '', '', '{}', n + 1, '+' || (74951000001 + n)
    FROM generate_series(1, :held) n;
INSERT INTO reservation (id, organisation_id, number_id, session_id, pool_id, started_at)
    OVERRIDING SYSTEM VALUE
    SELECT :reservations + :candidates + n, 1, n + 1, :reservations + :candidates + n, 1, :now - interval '2 minutes'
    FROM generate_series(1, :held) n;
UPDATE number SET holder_id = :reservations + :candidates + id - 1, reservation_id = :reservations + :candidates + id - 1,
    issued_at = :now - interval '2 minutes', reserved_until = :now + interval '6 hours', silent_at = :now + interval '6 hours',
    ring = ARRAY[:reservations + :candidates + id - 1], last_campaign = 'google / cpc' || chr(31) || 'spring', version = version + 1
    WHERE id BETWEEN 2 AND :held + 1;

-- New rows go on after these ids.
SELECT setval(pg_get_serial_sequence('session', 'id'), greatest(1, (SELECT coalesce(max(id), 0) FROM session)));
SELECT setval(pg_get_serial_sequence('reservation', 'id'), greatest(1, (SELECT coalesce(max(id), 0) FROM reservation)));
SELECT setval(pg_get_serial_sequence('call', 'id'), greatest(1, (SELECT coalesce(max(id), 0) FROM call)));
SELECT setval(pg_get_serial_sequence('attribution', 'id'), greatest(1, (SELECT coalesce(max(id), 0) FROM attribution)));
