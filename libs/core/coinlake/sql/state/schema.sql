-- What a deployment must remember that is not data: how its feeds fare and what it has asked of each venue.
-- Moments are ISO 8601 text in UTC with six digits of a second, so that they sort as text.

CREATE TABLE IF NOT EXISTS feeds (
    source          TEXT    NOT NULL,
    dataset         TEXT    NOT NULL,
    cadence_s       REAL    NOT NULL,
    last_slot       TEXT,              -- newest slot that was finished, stored or failed
    last_attempt_at TEXT,
    last_success_at TEXT,
    last_error      TEXT,              -- null once a slot succeeds
    failures        INTEGER NOT NULL DEFAULT 0,  -- failed slots since the last success
    stretched_to_s  REAL,              -- spacing of slots while the month's credits call for it
    next_slot_at    TEXT,
    slots_missed    INTEGER NOT NULL DEFAULT 0,  -- slots that went by without an attempt, ever
    PRIMARY KEY (source, dataset)
) WITHOUT ROWID;

-- Weight sent in an aligned window ("60s") or credits spent in a calendar month ("month").
CREATE TABLE IF NOT EXISTS quota_uses (
    source    TEXT    NOT NULL,
    period    TEXT    NOT NULL,
    starts_at TEXT    NOT NULL,
    used      INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (source, period, starts_at)
) WITHOUT ROWID;

-- The windows that are kept to: those that the venue stated itself, else those of the settings.
CREATE TABLE IF NOT EXISTS quota_windows (
    source  TEXT    NOT NULL,
    place   INTEGER NOT NULL,  -- 0 is the window that the venue's own count of weight is about
    seconds INTEGER NOT NULL CHECK (seconds > 0),
    weight  INTEGER NOT NULL CHECK (weight > 0),
    stated  INTEGER NOT NULL CHECK (stated IN (0, 1)),  -- by the venue, in an answer
    PRIMARY KEY (source, place)
) WITHOUT ROWID;

-- A bucket that flows back at a steady rate: all that was drawn from it is back at `full_at`.
CREATE TABLE IF NOT EXISTS quota_buckets (
    source   TEXT NOT NULL PRIMARY KEY,
    full_at  TEXT NOT NULL,
    drawn_at TEXT NOT NULL  -- the last draw
) WITHOUT ROWID;

-- Nothing is sent to a source in [since, until): a ban, or a pause that the venue asked for.
CREATE TABLE IF NOT EXISTS holds (
    source TEXT NOT NULL PRIMARY KEY,
    since  TEXT NOT NULL,
    until  TEXT NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;
