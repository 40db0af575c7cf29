-- One dead letter with its original bytes, as many of them as are asked for.
SELECT
    capture_id, path, stage, source, dataset, slot, reasons, received_at, rejected_at, resolved_at,
    octet_length(original)                       AS original_bytes,
    substring(original FROM 1 FOR %(bytes)s)     AS original
FROM dead_letters
WHERE capture_id = %(capture_id)s AND path = %(path)s;
