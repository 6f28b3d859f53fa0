# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that move the primary have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The servers, the logins and the limits."""

    DOCUMENTATION = r"""
options:
  target:
    description:
      - The name of the server that shall take the writes. It is refused when it is not fit.
      - Without it the fittest is taken.
    type: str
  durability:
    description:
      - What an acknowledged commit is worth on the new primary. With V(no_loss) a replica has it, and while no replica
        acknowledges, writes wait. With V(available) writes go on after a second.
      - Without it the new primary waits as the old one did. Where that one cannot be asked, V(no_loss) holds
        with two or more replicas and V(available) with one, if the target acknowledges at all.
      - Where no replica is left to acknowledge, commits do not wait, and a warning says so.
    type: str
    choices: [no_loss, available]
  replication_user:
    description:
      - The account by which servers follow each other.
      - The module logs in with it once itself, to see that the others will get in. So the account has to exist for the
        address of the host on which the module runs.
    type: str
    required: true
  replication_password:
    description:
      - The password of O(replication_user).
    type: str
    required: true
  source_ca_file:
    description:
      - File with the authority of the servers' certificates, on every database server. Without it servers follow
        each other in clear.
    type: path
  database:
    description:
      - The schema with the heartbeat and with the table C(moves), to which a row is added for every move. It is
        created when it is missing.
    type: str
    default: webinfra
  requested_by:
    description:
      - Who wants it; for the record.
    type: str
  catch_up_timeout:
    description:
      - How many seconds the target may take to apply what it lacks before the move is called off.
    type: int
    default: 10
  check_timeout:
    description:
      - How many seconds a server may take to follow the new primary before that is a failure. The new primary takes
        writes meanwhile, and goes on doing so.
    type: int
    default: 15
  login_user:
    description:
      - The account to log in with, on every server. It must be allowed to close and open servers, to change whom they
        follow, to see and to end connections and to write into O(database).
      - Its own connections are not ended.
    type: str
    required: true
"""
