# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that asks its host only where an earlier look at it does not say that nothing is to be done."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class SurveyedAction(ActionBase):
    """Runs the module of the same name, unless the survey answers for it.

    A call over SSH costs a host about half a second, nearly all of it for loading Ansible's own code there.
    """

    TRANSFERS_FILES = False
    module: t.ClassVar[str]
    arguments: t.ClassVar[t.Mapping[str, t.Any]]

    def settled(self, options: t.Mapping[str, t.Any], survey: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        """Return the module's result where nothing is to be done, else None."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        survey = self._task.args.pop("survey", None)
        if survey:
            _validation, options = self.validate_argument_spec(argument_spec=dict(self.arguments))  # type: ignore[no-untyped-call]
            outcome = self.settled(options, survey)
            if outcome is not None:
                return {**result, **outcome}
        return {**result, **self._execute_module(module_name=self.module, task_vars=task_vars)}

    def _update_module_args(
        self, module_name: str, module_args: dict[str, t.Any], *arguments: t.Any, **options: t.Any
    ) -> None:
        """Keep the arguments out of the host's journal, where Ansible writes them.

        It looks there for secrets by their letters, and does not find one of several lines in a list of files.
        """
        super()._update_module_args(module_name, module_args, *arguments, **options)
        module_args["_ansible_no_log"] = True


__all__ = ("SurveyedAction",)
