-- stored(organisation_id)
-- What the organisation has changed.
SELECT name, value, changed_at FROM organisation_setting WHERE organisation_id = $1 ORDER BY name;

-- put(organisation_id, name, value, changed_at)
-- A value of one setting, in place of what was there.
INSERT INTO organisation_setting (organisation_id, name, value, changed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation_id, name) DO UPDATE SET value = $3, changed_at = $4;

-- forget(organisation_id, name)
-- Back to the default.
DELETE FROM organisation_setting WHERE organisation_id = $1 AND name = $2 RETURNING value;
