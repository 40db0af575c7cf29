UPDATE position SET position = (SELECT max(staged_captures.position) FROM staged_captures)
