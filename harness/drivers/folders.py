"""Where this user's runs keep what outlives them."""

import os
from pathlib import Path

import platformdirs


def state_folder() -> Path:
    """Where runs of this user note what they have; GAMEDAY_STATE names another place."""
    return Path(os.environ.get("GAMEDAY_STATE") or platformdirs.user_state_dir("gameday"))
