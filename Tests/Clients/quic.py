"""quic.py PORT: what a QUIC client makes of the server at that port of the loopback address."""

import asyncio
import ssl
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated


class Witness(QuicConnectionProtocol):
    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            print(event.reason_phrase)
        super().quic_event_received(event)


async def main():
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE)
    try:
        async with connect("127.0.0.1", int(sys.argv[1]), configuration=configuration, create_protocol=Witness):
            print("connected")
    except ConnectionError:
        pass


# Without an answer it would try for its idle timeout, a minute.
asyncio.run(asyncio.wait_for(main(), 20))
