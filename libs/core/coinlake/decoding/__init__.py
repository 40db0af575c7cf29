"""From a body's bytes to rows, digit for digit.

Two lanes read the same page and must agree. The fast lane takes a page whose every row looks as the
venue documents it, columns at a time. A page with anything odd in it goes through the careful lane, row
by row, where each row that cannot be read ends as a reject with every reason and its original bytes,
and its neighbours go on. For rows of any other form a source gives a function (`RowReader`).
"""

from coinlake.decoding.lanes import QuoteReader
from coinlake.decoding.pages import originals
from coinlake.decoding.rows import Columns, Fields, Origin, RowReader, by_dataset
from coinlake.decoding.shape import Shape

__all__ = [
    "Columns",
    "Fields",
    "Origin",
    "QuoteReader",
    "RowReader",
    "Shape",
    "by_dataset",
    "originals",
]
