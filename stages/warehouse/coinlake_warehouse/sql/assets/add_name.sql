INSERT INTO asset_names (source, venue_asset, since, until, asset) VALUES (%s, %s, %s, %s, %s);
