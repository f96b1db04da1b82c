-- versions()
-- The numbering plans that somebody loaded.
SELECT numbering_plan.country, version, loaded_at,
       (SELECT count(*) FROM plan_range WHERE plan_range.country = numbering_plan.country) AS ranges
FROM numbering_plan ORDER BY country;

-- ranges(country)
-- A country's plan, in order.
SELECT first, last, region, operator FROM plan_range WHERE country = $1 ORDER BY first;

-- replace(country, now)
-- Make room for a country's new plan.
WITH gone AS (
    DELETE FROM plan_range WHERE country = $1
)
INSERT INTO numbering_plan (country, version, loaded_at) VALUES ($1, 1, $2)
ON CONFLICT (country) DO UPDATE SET version = numbering_plan.version + 1, loaded_at = $2;

-- put(country, firsts, lasts, regions, operators)
-- Ranges of a plan, some thousands at a time.
INSERT INTO plan_range (country, first, last, region, operator)
SELECT $1, first, last, region, operator
FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS given (first, last, region, operator);

-- count_regions(before)
-- Add up the regions that calls came from and visits were seen in, of rows made up to a moment; a minute behind, so
-- that none is passed over. One router at a time.
WITH position AS MATERIALIZED (
    SELECT call_id, session_id FROM region_position FOR UPDATE
), calls AS MATERIALIZED (
    SELECT call.id, call.site_id, call.caller_region FROM call, position
    WHERE call.id > position.call_id AND call.created_at <= $1 ORDER BY call.id LIMIT 100000
), visits AS MATERIALIZED (
    SELECT session.id, session.site_id, session.region FROM session, position
    WHERE session.id > position.session_id AND session.started_at <= $1 ORDER BY session.id LIMIT 100000
), counted AS (
    INSERT INTO region_seen (site_id, region, calls)
    SELECT site_id, region, sum(calls) FROM (
        SELECT site_id, caller_region AS region, 1 AS calls FROM calls
        UNION ALL SELECT site_id, region, 0 FROM visits
    ) AS every
    WHERE site_id IS NOT NULL AND region IS NOT NULL
    GROUP BY site_id, region ORDER BY site_id, region
    ON CONFLICT (site_id, region) DO UPDATE SET calls = region_seen.calls + excluded.calls
)
UPDATE region_position
SET call_id = greatest(call_id, (SELECT max(id) FROM calls)),
    session_id = greatest(session_id, (SELECT max(id) FROM visits));

-- regions()
-- How many calls came to each site from each region that was seen there.
SELECT site_id, region, calls FROM region_seen;
