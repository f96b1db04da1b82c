-- page_numbers()
-- Which page numbers besides the main ones are served, and by which pools.
SELECT page_number.pool_id, page_number.e164, pool.site_id
FROM page_number JOIN pool ON pool.id = page_number.pool_id;

-- settings()
-- What sites say about their snippets.
SELECT site_id, cookie_domain, server_digest FROM site_snippet;

-- of_site(organisation_id, site_id)
-- What a site says about its snippet, and which pools serve its further page numbers.
SELECT site.key, site_snippet.cookie_domain, site_snippet.server_digest IS NOT NULL AS server_token,
       (SELECT jsonb_agg(jsonb_build_object('number', page_number.e164, 'pool_id', pool.id, 'pool', pool.name)
                         ORDER BY page_number.e164, pool.id)
        FROM pool JOIN page_number ON page_number.pool_id = pool.id WHERE pool.site_id = site.id) AS served
FROM site LEFT JOIN site_snippet ON site_snippet.site_id = site.id
WHERE site.organisation_id = $1 AND site.id = $2;

-- put_page_number(pool_id, e164)
-- From now on the pool's numbers stand in the place of this one.
INSERT INTO page_number (pool_id, e164) VALUES ($1, $2)
ON CONFLICT (pool_id) DO UPDATE SET e164 = $2;

-- drop_page_number(pool_id)
-- The pool serves the main number again.
DELETE FROM page_number WHERE pool_id = $1;

-- put_cookie_domain(site_id, cookie_domain)
-- For which domain the visitor's cookie is set; null for none.
INSERT INTO site_snippet (site_id, cookie_domain) VALUES ($1, $2)
ON CONFLICT (site_id) DO UPDATE SET cookie_domain = $2;

-- put_server_digest(site_id, server_digest)
-- The site's server has this token from now on; an earlier one ends. Null: none.
INSERT INTO site_snippet (site_id, server_digest) VALUES ($1, $2)
ON CONFLICT (site_id) DO UPDATE SET server_digest = $2;

-- remember(version, body, first_served_at)
-- A snippet that is served from now on.
INSERT INTO snippet_version (version, body, first_served_at) VALUES ($1, $2, $3)
ON CONFLICT (version) DO NOTHING;

-- body(version)
-- A snippet that this router or an earlier one served.
SELECT body FROM snippet_version WHERE version = $1;
