"""Processes of their own, which begin at once, and pairs of them as ``torchrun`` would start."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch

# The process that these are forked from has imported everything.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.attacks.training.tiny_training", "torch._dynamo"])

Running = tuple[multiprocessing.Process, Connection]


def begin(target: Callable, *given: object) -> Running:
    """A process that is at work, and what it says; a way to say it is the function's last argument."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=target, args=(*given, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def pair(target: Callable, *given: object) -> list[Running]:
    """Two processes at the same work, which are told of each other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [begin(_one_of_two, rank, port, target, *given) for rank in range(2)]


def _one_of_two(rank: int, port: int, target: Callable, *given: object) -> None:
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": "2"}
    target(*given)
