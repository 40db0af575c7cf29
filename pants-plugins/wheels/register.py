from wheels import rules as wheels_rules


def rules():
    return wheels_rules.rules()
