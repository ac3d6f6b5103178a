"""spectatord's line protocol: lines → meters → samples.

What flows in: datagrams of lines such as ``t:ipc.server.call,ipc.endpoint=play:0.042`` from any
spectator client. What flows out: a batch a flush, in Atlas's statistics.
"""
