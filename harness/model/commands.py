"""What a command of Redis does, told by its words: whether it looks, ends clients, or wipes everything out."""

_LOOKS = frozenset(
    {
        "DBSIZE", "DUMP", "ECHO", "EXISTS", "EXPIRETIME", "GET", "GETRANGE", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN",
        "HMGET", "HRANDFIELD", "HSCAN", "HSTRLEN", "HVALS", "INFO", "KEYS", "LINDEX", "LLEN", "LPOS", "LRANGE", "MGET",
        "PEXPIRETIME", "PING", "PTTL", "RANDOMKEY", "SCAN", "SCARD", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "SRANDMEMBER",
        "SSCAN", "STRLEN", "TIME", "TTL", "TYPE", "XINFO", "XLEN", "XPENDING", "XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT",
        "ZLEXCOUNT", "ZMSCORE", "ZRANDMEMBER", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZRANK", "ZREVRANGE",
        "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCAN", "ZSCORE",
        "CLIENT GETNAME", "CLIENT ID", "CLIENT INFO", "CLIENT LIST", "LATENCY DOCTOR", "LATENCY GRAPH", "LATENCY HISTOGRAM",
        "LATENCY HISTORY", "LATENCY LATEST", "MEMORY USAGE", "OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME",
        "SLOWLOG GET", "SLOWLOG LEN",
    }
)  # fmt: skip
"""The commands that only look, those that have another use as well with their second word."""

_WIPES = frozenset({"FLUSHALL", "FLUSHDB", "SHUTDOWN", "SWAPDB"})


def looks(command: str) -> bool:
    """Whether it only looks; one that nobody knows may do anything."""
    return bool({" ".join(_words(command)[:n]) for n in (1, 2)} & _LOOKS)


def ends_clients(command: str) -> bool:
    """Whether it disconnects clients."""
    return _words(command)[:2] == ["CLIENT", "KILL"]


def wipes(command: str) -> bool:
    """Whether it is about everything that there is."""
    return bool({*_words(command)[:1]} & _WIPES)


def _words(command: str) -> list[str]:
    """Its words as Redis takes them, whichever of them were said in one."""
    return command.upper().split()
