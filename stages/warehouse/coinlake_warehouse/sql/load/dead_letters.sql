-- Keeps what was refused; what had been resolved and is refused again is open again.
INSERT INTO dead_letters (
    capture_id, path, stage, source, dataset, slot, reasons, original, received_at, rejected_at
)
SELECT DISTINCT ON (reject.capture_id, reject.path)
    reject.capture_id, reject.path, reject.stage, capture.source, capture.dataset, capture.slot,
    reject.reasons, reject.original, capture.received_at, %(now)s
FROM staged_rejects AS reject
JOIN staged_captures AS capture USING (capture_id)
ORDER BY reject.capture_id, reject.path, reject.stage, reject.reasons
ON CONFLICT (capture_id, path) DO UPDATE SET
    stage = excluded.stage,
    reasons = excluded.reasons,
    original = excluded.original,
    rejected_at = excluded.rejected_at,
    resolved_at = NULL
