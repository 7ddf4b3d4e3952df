"""Notices: what rules (and alerts) tell, in every form and through every channel; harmless whatever it quotes."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import delivery, firing, notices
from monitor.channels import Letter
from monitor.delivery import letter_of
from monitor.digest import FORMS
from storage import outbox
from storage.erasure import erase_items
from storage.people_tables import NOTICE
from storage.tables import DELIVERY, ITEM
from tests.e2e.test_rules import ANGRY, fresh, ruled
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import SECRET, Newsroom, Open, by_file, by_hook, by_mail
from tests.unit.http_world import World
