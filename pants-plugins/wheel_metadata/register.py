from wheel_metadata import rules as wheel_rules


def rules():
    return wheel_rules.rules()
