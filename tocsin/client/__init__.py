"""What a program beside the server needs to speak with it; imports no other room of the house.

:mod:`~tocsin.client.client` asks the API, :mod:`~tocsin.client.slack.preview` the local Slack
server; their answers have the :mod:`~tocsin.client.shapes`, their failures are
:mod:`~tocsin.client.errors`, :mod:`~tocsin.client.graphs` are columns, and
:mod:`~tocsin.client.wording` says values to people.
"""
