"""The logging configuration: one line per event, as JSON or for a console, without email content and secrets.

The texts of errors contain no email content, and the string form of a secret is `<Secret set>`. Some libraries log values,
headers or XML. Only their critical messages are logged, even if the log level is `DEBUG`.
"""

from __future__ import annotations

import logging.config

import structlog

from sync.jobs import broker_log

RESTRICTED_LOGGERS = (
    "exchangelib",
    "requests_ntlm",
    "spnego",
    "urllib3",
    "httpx",
    "httpcore",
    "hpack",
    "oauthlib",
    "requests_oauthlib",
)


def logging_config(level: str, style: str) -> None:
    """Configure `logging` and structlog.

    Args:
        level: The lowest level that is logged, such as `INFO`.
        style: `json` or `console`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # These formatters print no local variables, because local variables can contain email content.
    final: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
                }
            },
            "filters": {"broker": {"()": lambda: broker_log.OF_THIS_PROCESS}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["broker"]}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {name: {"level": "CRITICAL", "propagate": True} for name in RESTRICTED_LOGGERS},
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
