-- Times as text: Python has no infinity among its moments.
SELECT
    source, venue_asset, since::text, until::text, asset
FROM asset_names;
