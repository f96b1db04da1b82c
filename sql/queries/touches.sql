-- add(site_id, session, at, url, referrer, source, medium, campaign, term, content, click_ids, channel)
-- A landing within a session that had begun before; one that is there already (a reload) is not written again, nor
-- is anything beyond what a person does: a program that goes on opening pages as one visitor fills no table.
INSERT INTO touch (organisation_id, site_id, visitor, session_id, at, url, referrer, source, medium, campaign, term,
                   content, click_ids, channel)
SELECT session.organisation_id, session.site_id, session.visitor, session.id, $3, $4, $5, $6, $7, $8, $9, $10, $11,
       $12
FROM session
WHERE session.site_id = $1 AND session.key = $2
  AND (SELECT count(*) FROM touch WHERE touch.session_id = session.id) < 200
  AND NOT EXISTS (SELECT FROM touch WHERE touch.session_id = session.id AND touch.url = $4 AND touch.referrer = $5);

-- name(site_id, session, ids)
-- Ids of its visitor that a session did not have when it began; those it has stay.
UPDATE session SET click_ids = $3::jsonb || click_ids WHERE site_id = $1 AND key = $2;

-- of_visitor(session_id, until, most)
-- The touches of a session's visitor on its site, oldest first: the first one, and the newest ones up to a moment.
WITH visitor AS (
    SELECT site_id, visitor FROM session WHERE id = $1
), visits AS (
    (SELECT session.* FROM visitor JOIN session USING (site_id, visitor) WHERE session.ordinal = 1)
    UNION
    (SELECT session.* FROM visitor JOIN session USING (site_id, visitor)
     WHERE session.started_at <= $2 ORDER BY session.ordinal DESC LIMIT $3)
)
SELECT started_at AS at, landing_url AS url, referrer, source, medium, campaign, term, content, click_ids, channel,
       ordinal AS visit, true AS begins
FROM visits
UNION ALL
(SELECT touch.at, touch.url, touch.referrer, touch.source, touch.medium, touch.campaign, touch.term, touch.content,
        touch.click_ids, touch.channel, visits.ordinal, false
 FROM visits JOIN touch ON touch.session_id = visits.id
 WHERE touch.at <= $2 ORDER BY touch.at DESC LIMIT $3)
ORDER BY at, visit, begins DESC;
