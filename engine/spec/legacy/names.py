"""What the settings of the legacy forms are called, and why some of them have no place here. Data only."""

from __future__ import annotations

_SYNONYMS = {
    "api_secret": ("secret_key", "secret"),
    "auto_range": ("auto_price", "auto_price_range"),
    "base_target": ("base_asset_target", "base_asset_target_percentage"),
    "direction": ("grid_type",),
    "duration": ("duration_s", "duration_seconds"),
    "interval": ("interval_s", "interval_seconds", "update_interval"),
    "layers": ("max_orders", "max_orders_per_side"),
    "levels": ("grid_num", "grid_number", "grid_count", "grid_levels"),
    "lower": ("grid_lower", "grid_lower_price", "lower_price"),
    "market_type": ("market",),
    "order_size": ("quantity", "order_quantity"),
    "proxy": ("http_proxy", "https_proxy"),
    "range_pct": ("price_range", "price_range_percent", "price_range_pct"),
    "exchange": ("venue",),
    "spacing": ("grid_mode",),
    "spread": ("base_spread", "base_spread_percentage", "spread_percentage"),
    "strategy": ("strategy_name", "strategy_type"),
    "stop_timeout": ("bot_stop_timeout",),
    "symbol": ("trading_pair",),
    "upper": ("grid_upper", "grid_upper_price", "upper_price"),
}
_BY_SYNONYM = {synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms}

_ADDRESS = "an account knows its venue's address; another one is written under `venues` in fleet.yaml"
_OLD_PROGRAM = "only the old program needs it"
_ABOUT_THE_FILE = "it tells of the file, not of the bot"
_LOGS = "logs are rotated, compressed and cleaned up without settings"

NOT_NEEDED = {
    "python_path": _OLD_PROGRAM,
    "script_path": _OLD_PROGRAM,
    "working_dir": _OLD_PROGRAM,
    "api_version": _OLD_PROGRAM,
    "default_window": _OLD_PROGRAM,
    "chain_id": _OLD_PROGRAM,
    "web_port": "there is no port to choose for a bot",
    "log_dir": _LOGS,
    "log_cleanup_interval": _LOGS,
    "log_retention_days": _LOGS,
    "db_path": "every bot keeps its own journal",
    "enable_db": "every bot keeps its own journal",
    "restart_delay": "after crashes a bot waits by itself, longer each time",
    "health_check_interval": "health is watched all the time",
    "bot_kill_timeout": "stop_timeout_s is the whole of it",
    "interval": "a bot acts on every event, not on a timer",
    "description": _ABOUT_THE_FILE,
    "created_at": _ABOUT_THE_FILE,
    "created_by": _ABOUT_THE_FILE,
    "updated_at": _ABOUT_THE_FILE,
    "version": _ABOUT_THE_FILE,
    "author": _ABOUT_THE_FILE,
    "tags": _ABOUT_THE_FILE,
}
"""Nothing is lost with these, whatever their value is."""

NOT_POSSIBLE = {
    "target_position": "there it was the size above which a position was reduced; here it is one, long or short, "
    "to lean towards",
    "position_threshold": "a position is bounded by risk.max_position before each order, not reduced afterwards",
    "auto_borrow": "a bot does not borrow: strategy.capital says what it may use",
    "auto_borrow_repay": "a bot does not borrow",
    "auto_lend": "lending is chosen at the venue",
    "environment": "put its variables into .env",
    "base_url": _ADDRESS,
    "ws_url": _ADDRESS,
    "verify_ssl": "certificates are always checked",
    "auto_restart": "a bot that crashed is always started again, up to process.max_restarts_per_hour",
}
"""These meant something there that nothing here does."""

HARMLESS = {
    "verify_ssl": True,
    "auto_restart": True,
    "auto_borrow": False,
    "auto_borrow_repay": False,
    "auto_lend": False,
}
"""With this value they mean what is so here anyway."""


def name_of(key: str) -> str:
    """The one name of a setting; its own where it has no other."""
    return _BY_SYNONYM.get(key, key)
