-- put_token(organisation_id, name, scope, digest, created_at)
-- A token's digest; the token itself is kept nowhere.
INSERT INTO access_token (organisation_id, name, scope, digest, created_at) VALUES ($1, $2, $3, $4, $5);

-- tokens(organisation_id)
-- What tokens there are.
SELECT name, scope, created_at, last_used_at, revoked_at FROM access_token
WHERE organisation_id = $1 ORDER BY id;

-- revoke_token(organisation_id, name, now)
-- From now on nobody gets in with it. Returns its name if it was valid.
UPDATE access_token SET revoked_at = $3
WHERE organisation_id = $1 AND name = $2 AND revoked_at IS NULL RETURNING name;

-- token_holder(digest)
-- Whose token this is, if it is valid.
SELECT organisation_id, name, last_used_at, scope FROM access_token
WHERE digest = $1 AND revoked_at IS NULL;

-- touch_token(digest, now)
-- Remember that it was used.
UPDATE access_token SET last_used_at = $2 WHERE digest = $1;

-- put_code(digest, organisation_id, created_at, expires_at)
-- A code that opens one session; codes that nobody can use any more are dropped on the way.
WITH stale AS (DELETE FROM sign_in_code WHERE expires_at < $3::timestamptz - interval '1 day')
INSERT INTO sign_in_code (digest, organisation_id, created_at, expires_at) VALUES ($1, $2, $3, $4);

-- use_code(digest, now)
-- Single use is a condition on the row: of two at once, one wins.
UPDATE sign_in_code SET used_at = $2
WHERE digest = $1 AND used_at IS NULL AND expires_at > $2 RETURNING organisation_id;

-- put_session(digest, organisation_id, created_at, expires_at)
-- A browser that is signed in; sessions long over are dropped on the way.
WITH stale AS (DELETE FROM staff_session WHERE expires_at < $3::timestamptz - interval '30 days')
INSERT INTO staff_session (digest, organisation_id, created_at, seen_at, expires_at)
VALUES ($1, $2, $3, $3, $4);

-- session_holder(digest, now, seen_after)
-- Whose session this is, if it is valid and was used after `seen_after`.
SELECT organisation_id, seen_at FROM staff_session
WHERE digest = $1 AND revoked_at IS NULL AND expires_at > $2 AND seen_at > $3;

-- touch_session(digest, now)
-- Remember that it was used.
UPDATE staff_session SET seen_at = $2 WHERE digest = $1;

-- revoke_session(digest, now)
-- Signed out.
UPDATE staff_session SET revoked_at = $2 WHERE digest = $1 AND revoked_at IS NULL;
