SELECT DISTINCT quote_currency FROM coinlake.latest_quotes WHERE source = ${source:sqlstring} ORDER BY quote_currency
