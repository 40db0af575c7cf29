-- How many of the batch's dead letters each rule has made. A letter that broke several counts for each.
SELECT capture.source, reject.stage, split_part(reason, ':', 1) AS rule, count(*)
FROM staged_rejects AS reject
JOIN staged_captures AS capture USING (capture_id)
CROSS JOIN unnest(reject.reasons) AS reason
GROUP BY capture.source, reject.stage, rule
