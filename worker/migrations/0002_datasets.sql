-- Datasets: what is known of each, and where a database holds them, their content.
CREATE TABLE datasets (
  id TEXT PRIMARY KEY,
  -- The id of the key that sent it.
  owner TEXT NOT NULL,
  -- Whether it is all there. One that is not is an upload on its way, or one that died with its machine and is swept away.
  ready INTEGER NOT NULL DEFAULT 0,
  -- Where its content is: `r2` or `d1`.
  place TEXT NOT NULL,
  filename TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  lines INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL DEFAULT '',
  shape TEXT NOT NULL DEFAULT '',
  -- In unix seconds.
  created_at INTEGER NOT NULL
);
CREATE INDEX datasets_by_owner ON datasets (owner, created_at, id);
CREATE INDEX datasets_by_time ON datasets (created_at, id);
CREATE INDEX datasets_on_their_way ON datasets (created_at) WHERE ready = 0;

-- The content of those in `d1`: texts that follow each other.
CREATE TABLE dataset_chunks (
  dataset_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (dataset_id, seq)
);
