-- The last committed batch: whatever else is read can only have changed when this has.
SELECT coalesce(max(batch_id), 0) AS batch_id
FROM batches;
