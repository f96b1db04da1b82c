"""Just enough of a manager client to see what an account may do."""

from __future__ import annotations

import asyncio


class Manager:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def login(cls, port: int, user: str, secret: str) -> Manager:
        """Connect and log in without events. Raises PermissionError if refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        manager = cls(reader, writer)
        answer = await manager.action("Login", Username=user, Secret=secret, Events="off")
        if answer["Response"] != "Success":
            await manager.close()
            raise PermissionError(answer["Message"])
        return manager

    async def action(self, name: str, **fields: str) -> dict[str, str]:
        """Send one action; the fields of its response."""
        sent = [f"Action: {name}", *(f"{key}: {value}" for key, value in fields.items())]
        self._writer.write(("\r\n".join(sent) + "\r\n\r\n").encode())
        while True:
            packet = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
            lines = packet.decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in lines if ": " in line)
            answer = dict(pairs)
            if "Response" in answer:
                return answer

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
