-- Loading from a bus: which captures are in, how far each partition was read, and where the tasks of one batch
-- put their rows until its closing transaction takes them over.

CREATE TABLE loaded_captures (
    position   bigint PRIMARY KEY,
    capture_id uuid        NOT NULL UNIQUE,
    source     text COLLATE "C" NOT NULL,
    dataset    text        NOT NULL,
    slot       timestamptz NOT NULL,
    batch_id   bigint      NOT NULL
);

COMMENT ON TABLE loaded_captures IS
    'Every capture that was loaded, and the first batch that had it: written in that batch''s transaction';
COMMENT ON COLUMN loaded_captures.position IS 'Its position in the lake';
COMMENT ON COLUMN loaded_captures.capture_id IS 'The capture in the lake; its rows say the same id';
COMMENT ON COLUMN loaded_captures.source IS 'Venue or aggregator of the capture';
COMMENT ON COLUMN loaded_captures.dataset IS 'Dataset of the capture';
COMMENT ON COLUMN loaded_captures.slot IS 'Slot of the capture';
COMMENT ON COLUMN loaded_captures.batch_id IS 'The batch that loaded it first; a replay changes nothing here';

CREATE TABLE bus_offsets (
    topic       text   NOT NULL,
    partition   integer NOT NULL,
    topic_id    text   NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

COMMENT ON TABLE bus_offsets IS
    'How far each partition of the bus has been loaded: moved in the transaction that loads, so this is the truth and a reader''s checkpoint is not';
COMMENT ON COLUMN bus_offsets.topic IS 'The topic that captures travel by';
COMMENT ON COLUMN bus_offsets.partition IS 'Partition of the topic';
COMMENT ON COLUMN bus_offsets.topic_id IS 'The broker''s own id of the topic: one made again under the same name is another topic';
COMMENT ON COLUMN bus_offsets.next_offset IS 'The first message that was not loaded yet';

-- Filled by tasks side by side, each of its attempts under an id of its own; only those that the closing
-- transaction names ever count. Not logged: after a crash of the server the batch is made again.
CREATE UNLOGGED TABLE staging_captures (
    attempt     uuid        NOT NULL,
    lake_id     uuid,
    position    bigint,
    capture_id  uuid        NOT NULL,
    source      text COLLATE "C" NOT NULL,
    dataset     text        NOT NULL,
    slot        timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE UNLOGGED TABLE staging_rejects (
    attempt    uuid   NOT NULL,
    capture_id uuid   NOT NULL,
    path       text COLLATE "C" NOT NULL,
    stage      text   NOT NULL,
    reasons    text[] NOT NULL,
    original   bytea  NOT NULL
);
CREATE UNLOGGED TABLE staging_quotes (attempt uuid NOT NULL, LIKE quotes INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_candles (attempt uuid NOT NULL, LIKE venue_candles INCLUDING COMMENTS);
CREATE UNLOGGED TABLE staging_instruments (attempt uuid NOT NULL, LIKE instruments INCLUDING COMMENTS);

COMMENT ON TABLE staging_captures IS 'Captures of a batch that is being loaded from the bus; not for reading';
COMMENT ON COLUMN staging_captures.attempt IS 'The attempt of a task that read it';
COMMENT ON COLUMN staging_captures.lake_id IS 'The lake that it was published from; null for a message that names none';
COMMENT ON COLUMN staging_captures.position IS 'Its position in that lake; null for a message that names none';
COMMENT ON COLUMN staging_captures.capture_id IS 'Its id';
COMMENT ON COLUMN staging_captures.source IS 'Venue or aggregator of the capture';
COMMENT ON COLUMN staging_captures.dataset IS 'Dataset of the capture';
COMMENT ON COLUMN staging_captures.slot IS 'Slot of the capture';
COMMENT ON COLUMN staging_captures.received_at IS 'When its answer was received';
COMMENT ON TABLE staging_rejects IS 'What was refused in a batch that is being loaded from the bus; not for reading';
COMMENT ON COLUMN staging_rejects.attempt IS 'The attempt of a task that refused it';
COMMENT ON COLUMN staging_rejects.capture_id IS 'The capture it was part of';
COMMENT ON COLUMN staging_rejects.path IS 'JSON pointer within the capture''s body; empty for the whole body';
COMMENT ON COLUMN staging_rejects.stage IS 'The step that refused it';
COMMENT ON COLUMN staging_rejects.reasons IS 'Every reason';
COMMENT ON COLUMN staging_rejects.original IS 'The original bytes';
COMMENT ON TABLE staging_quotes IS 'Quotes of a batch that is being loaded from the bus; not for reading';
COMMENT ON COLUMN staging_quotes.attempt IS 'The attempt of a task that made it';
COMMENT ON TABLE staging_candles IS 'Venue candles of a batch that is being loaded from the bus; not for reading';
COMMENT ON COLUMN staging_candles.attempt IS 'The attempt of a task that made it';
COMMENT ON TABLE staging_instruments IS 'Instruments of a batch that is being loaded from the bus; not for reading';
COMMENT ON COLUMN staging_instruments.attempt IS 'The attempt of a task that made it';
