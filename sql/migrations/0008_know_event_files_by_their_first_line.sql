-- migrate:up

-- An inode is used again once its file is gone, so a file of call events is known by its first line as well:
-- `head` is that line's hash, empty where it has not been read yet.
ALTER TABLE cel_position ADD COLUMN head text NOT NULL DEFAULT '';

-- migrate:down
-- Nothing: migrations go forward only. A mistake is mended by the next one.
