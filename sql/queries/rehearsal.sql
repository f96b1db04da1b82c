-- past(site_id, before, most)
-- So many sessions that began before one, newest first, whosever they are: a page costs the same however few of
-- them are the site's. Of the site's own ones (ours), also what rules can ask, and the pool whose number they got.
SELECT newest.id, newest.started_at, newest.ours, newest.ordinal, newest.device, newest.region, newest.city,
       newest.landing_url, newest.referrer, newest.source, newest.medium, newest.campaign, newest.term,
       newest.content, newest.click_ids, newest.channel, newest.shown,
       coalesce(handed.pool_id, (SELECT number.pool_id FROM number
                                 WHERE newest.ours AND number.id = newest.number_id)) AS pool_id
FROM (
    SELECT session.*, session.site_id = $1 AS ours FROM session WHERE session.id < $2 ORDER BY session.id DESC LIMIT $3
) AS newest
LEFT JOIN LATERAL (
    SELECT reservation.pool_id FROM reservation
    WHERE newest.ours AND reservation.session_id = newest.id ORDER BY reservation.started_at LIMIT 1
) AS handed ON true
ORDER BY newest.id DESC;
