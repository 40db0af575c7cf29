-- An asset's newest price at each source against the one that was true 24 hours before, both by the source's own
-- clock, and not by when either was loaded. Stablecoins count as dollars.
SELECT
    quote.source,
    quote.quote_currency,
    quote.as_of,
    quote.price / before.price - 1 AS change
FROM latest_quotes AS quote
JOIN asset_names AS name
    ON name.source = quote.source
    AND name.venue_asset = quote.asset
    AND name.since <= quote.as_of
    AND name.until > quote.as_of
CROSS JOIN LATERAL (
    SELECT quotes.price
    FROM quotes
    WHERE quotes.source = quote.source
        AND quotes.asset = quote.asset
        AND quotes.quote_currency = quote.quote_currency
        AND quotes.granularity = 'live'
        AND quotes.as_of <= quote.as_of - interval '24 hours'
        AND quotes.as_of > quote.as_of - interval '25 hours'
        AND quotes.price > 0
    ORDER BY quotes.as_of DESC
    LIMIT 1
) AS before
WHERE name.asset = %(asset)s
    AND quote.quote_currency IN ('usd', 'usdt', 'usdc')
    AND quote.price > 0
    AND NOT quote.synthetic
ORDER BY quote.source, quote.quote_currency;
