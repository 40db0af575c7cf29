-- How many open dead letters each rule has made, among the newest ones: a flood of them must not make
-- this query slow.
SELECT
    source,
    split_part(reason, ':', 1) AS rule,
    count(*)                   AS letters,
    max(rejected_at)           AS newest_rejected_at
FROM (
    SELECT source, reasons, rejected_at
    FROM dead_letters
    WHERE resolved_at IS NULL
    ORDER BY rejected_at DESC
    LIMIT %(newest)s
) AS open
CROSS JOIN unnest(reasons) AS reason
GROUP BY source, rule
ORDER BY letters DESC, source, rule;
