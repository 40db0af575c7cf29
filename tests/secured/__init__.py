"""The distributed profile where every server wants a login and gives no more rights than needed."""
