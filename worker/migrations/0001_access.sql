-- Keys of callers. What a key is, nobody can read here: `digest` is its SHA-256.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  -- The key that it took the place of, and until when that still counts, in unix seconds.
  previous_digest TEXT,
  previous_until INTEGER NOT NULL DEFAULT 0,
  prefix TEXT NOT NULL,
  last4 TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  -- What an administrator set, as JSON.
  settings TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  -- Tokens that were made before do not count.
  tokens_from INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX keys_by_previous_digest ON keys (previous_digest) WHERE previous_digest IS NOT NULL;

-- Tokens that were withdrawn before their end, until then.
CREATE TABLE revoked_tokens (
  jti TEXT NOT NULL,
  key_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, jti)
);

-- Assertions and tickets that were used, for as long as they could be used again.
CREATE TABLE used_tokens (
  jti TEXT NOT NULL,
  key_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, jti)
);
CREATE INDEX used_tokens_by_end ON used_tokens (expires_at);
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (expires_at);
