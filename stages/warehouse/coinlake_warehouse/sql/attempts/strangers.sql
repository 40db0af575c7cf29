-- Why captures of another lake than the warehouse's were rejected, one row a capture.
SELECT min(reasons[1])
FROM {staging_rejects}
WHERE attempt = ANY (%(attempts)s) AND stage = 'bus' AND starts_with(reasons[1], {rule} || ':')
GROUP BY capture_id
ORDER BY capture_id
