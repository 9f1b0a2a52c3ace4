"""A slow wire: what crosses it arrives later, in order. Frames come from one packet socket and leave by another.

usage: wire.py LINK OTHER MILLISECONDS

The kernel leaves checksums and segmentation to the link; a frame that is taken off it must be whole, so both are turned off
before (ethtool). At most 4,096 frames wait in each direction, some 6 MB; what comes beyond is lost, as on a real one.
"""
import collections
import select
import socket
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4
MOST = 4096


def socket_on(link):
    own = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    own.bind((link, ETH_P_ALL))
    own.setblocking(False)
    return own


def main():
    links, delay = sys.argv[1:3], float(sys.argv[3]) / 1000
    one, other = (socket_on(link) for link in links)
    across = {one: other, other: one}
    waiting = {own: collections.deque() for own in across}
    print("carries", flush=True)
    while True:
        heads = [queue[0][0] for queue in waiting.values() if queue]
        patience = max(0, min(heads) - time.monotonic()) if heads else None
        ready, _, _ = select.select(list(across), [], [], patience)
        now = time.monotonic()
        for own in ready:
            frame, address = own.recvfrom(65536)
            if address[2] != PACKET_OUTGOING and len(waiting[own]) < MOST:
                waiting[own].append((now + delay, frame))
        for own, queue in waiting.items():
            while queue and queue[0][0] <= now:
                try:
                    across[own].send(queue.popleft()[1])
                except OSError:
                    pass  # The link is down: what would cross it is lost.


main()
