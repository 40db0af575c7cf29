-- One of the windows in force for a source.
INSERT INTO quota_windows (source, place, seconds, weight, stated)
VALUES (:source, :place, :seconds, :weight, :stated);
