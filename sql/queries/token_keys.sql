-- newest()
-- The key that reservation tokens are signed with, and the one before it.
SELECT secret, made_at FROM reservation_token_key ORDER BY id DESC LIMIT 2;
