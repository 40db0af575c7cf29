from walls import rules as walls_rules


def rules():
    return walls_rules.rules()
