"""The incident desk: findings and people's commands go in, incidents and documents come out.

What flows in: findings of the engine, commands, presses of Slack's buttons. What flows out: the
events of incidents, and with them in one transaction the notifications that they lead to. The
threads of ``runbooks`` live here, and nowhere else in it.
"""
