-- Open dead letters by the rule they broke, among the newest ten thousand: a flood must not make this slow.
SELECT
    source,
    stage,
    split_part(reason, ':', 1) AS rule,
    count(*)                   AS letters,
    max(rejected_at)           AS newest
FROM (
    SELECT source, stage, reasons, rejected_at
    FROM coinlake.dead_letters
    WHERE resolved_at IS NULL
    ORDER BY rejected_at DESC
    LIMIT 10000
) AS open
CROSS JOIN unnest(reasons) AS reason
GROUP BY source, stage, rule
ORDER BY letters DESC, source, rule
