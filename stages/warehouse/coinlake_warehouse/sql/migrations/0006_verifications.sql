-- When the warehouse was held against the lake, and what that found: so that whoever watches knows how old the
-- proof is, wherever it was made.
CREATE TABLE verifications (
    verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finished_at     timestamptz NOT NULL,
    seconds         double precision NOT NULL,
    is_whole        boolean     NOT NULL,
    captures        bigint      NOT NULL,
    pending         bigint      NOT NULL,
    missing         bigint      NOT NULL,
    doubled         bigint      NOT NULL,
    different       bigint      NOT NULL,
    extra           bigint      NOT NULL,
    damaged         bigint      NOT NULL,
    lost            bigint      NOT NULL
);

COMMENT ON TABLE verifications IS 'One row a finished coinlake verify';
COMMENT ON COLUMN verifications.verification_id IS 'Ascending in order of their ends';
COMMENT ON COLUMN verifications.finished_at IS 'When it ended';
COMMENT ON COLUMN verifications.seconds IS 'How long it took';
COMMENT ON COLUMN verifications.is_whole IS 'True for all captures; false for a range of slots, which says nothing of the rest';
COMMENT ON COLUMN verifications.captures IS 'Captures compared';
COMMENT ON COLUMN verifications.pending IS 'Captures that were not loaded yet, and not compared';
COMMENT ON COLUMN verifications.missing IS 'Rows, over all tables, that should be there and were not';
COMMENT ON COLUMN verifications.doubled IS 'Rows that stood there twice';
COMMENT ON COLUMN verifications.different IS 'Rows with other values than they should have';
COMMENT ON COLUMN verifications.extra IS 'Rows that come from no capture';
COMMENT ON COLUMN verifications.damaged IS 'Captures whose bytes in the lake are not those that were stored';
COMMENT ON COLUMN verifications.lost IS 'Captures that were lost or changed between lake, topic and warehouse; 0 where there is no topic';
