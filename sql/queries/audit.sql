-- add(organisation_id, at, actor, action, subject, detail)
-- Who did what, to what. Entries are only ever added.
INSERT INTO audit_entry (organisation_id, at, actor, action, subject, detail)
VALUES ($1, $2, $3, $4, $5, $6);

-- add_unless_since(organisation_id, at, actor, action, subject, detail, since)
-- As `add`, but once for what one actor does to one subject again and again after `since`: a player reads
-- a recording in many pieces.
INSERT INTO audit_entry (organisation_id, at, actor, action, subject, detail)
SELECT $1, $2, $3, $4, $5, $6
WHERE NOT EXISTS (
    SELECT FROM audit_entry
    WHERE organisation_id = $1 AND at > $7 AND actor = $3 AND action = $4 AND subject = $5
);
