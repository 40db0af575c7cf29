INSERT INTO assets (asset, name, currency) VALUES (%s, %s, %s);
