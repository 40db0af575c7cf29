-- A lake: captures as they came, append-only. Readable in the sqlite3 shell: times are UTC text, bodies
-- are text where they are UTF-8 (a blob otherwise), params and headers are JSON.

CREATE TABLE IF NOT EXISTS lake (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    lake_id  TEXT NOT NULL           -- a random UUID; positions mean nothing in another lake
) STRICT;

INSERT INTO lake
VALUES (
    1,
    lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2))
        || '-4' || substr(hex(randomblob(2)), 2)                                            -- version 4
        || '-' || substr('89AB', 1 + abs(random() % 4), 1) || substr(hex(randomblob(2)), 2)  -- RFC 9562
        || '-' || hex(randomblob(6))
    )
)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS captures (
    position       INTEGER PRIMARY KEY AUTOINCREMENT,  -- in order of commit: see sqlite.py
    capture_id     TEXT    NOT NULL UNIQUE,            -- the identity key as one value
    source         TEXT    NOT NULL,
    dataset        TEXT    NOT NULL,
    slot           TEXT    NOT NULL,
    page           INTEGER NOT NULL,
    sha256         TEXT    NOT NULL,
    size           INTEGER NOT NULL,                   -- bytes of the body
    status         INTEGER NOT NULL,
    url            TEXT    NOT NULL,
    params         TEXT    NOT NULL,
    headers        TEXT    NOT NULL,
    requested_at   TEXT    NOT NULL,
    received_at    TEXT    NOT NULL,
    run_id         TEXT    NOT NULL,
    plugin_version TEXT    NOT NULL,
    traceparent    TEXT    NOT NULL,
    synthetic      INTEGER NOT NULL,
    body           ANY     NOT NULL,                   -- last: the columns before it are read without it
    UNIQUE (source, dataset, slot, page, sha256)
) STRICT;

CREATE TRIGGER IF NOT EXISTS captures_are_never_changed BEFORE UPDATE ON captures
BEGIN
    SELECT RAISE(ABORT, 'captures are append-only');
END;

CREATE TRIGGER IF NOT EXISTS captures_are_never_removed BEFORE DELETE ON captures
BEGIN
    SELECT RAISE(ABORT, 'captures are append-only');
END;

-- A capture that is there stays there: storing it again does nothing, and INSERT OR REPLACE, which removes
-- a row without firing the trigger above, never meets one.
CREATE TRIGGER IF NOT EXISTS captures_are_never_replaced BEFORE INSERT ON captures
WHEN EXISTS (
    SELECT 1 FROM captures
    WHERE position = NEW.position
        OR capture_id = NEW.capture_id
        OR (source, dataset, slot, page, sha256)
            = (NEW.source, NEW.dataset, NEW.slot, NEW.page, NEW.sha256)
)
BEGIN
    SELECT RAISE(IGNORE);
END;

-- Whoever has read up to a position has read all below it.
CREATE TRIGGER IF NOT EXISTS captures_are_never_slipped_in AFTER INSERT ON captures
WHEN NEW.position < 1 OR EXISTS (SELECT 1 FROM captures WHERE position > NEW.position)
BEGIN
    SELECT RAISE(ABORT, 'captures are append-only: leave the position to the lake');
END;

CREATE TRIGGER IF NOT EXISTS a_lake_keeps_its_name BEFORE UPDATE ON lake
BEGIN
    SELECT RAISE(ABORT, 'a lake keeps its id');
END;

CREATE TRIGGER IF NOT EXISTS a_lake_is_named_once BEFORE INSERT ON lake
WHEN EXISTS (SELECT 1 FROM lake)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER IF NOT EXISTS a_lake_is_never_forgotten BEFORE DELETE ON lake
BEGIN
    SELECT RAISE(ABORT, 'a lake keeps its id');
END;
