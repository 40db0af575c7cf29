SELECT asset, name, currency FROM assets;
