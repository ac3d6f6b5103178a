"""Labels of remote-write bodies as series ids, remembered by a hash of the label bytes."""

from __future__ import annotations

import numpy as np

from collectors.errors import TooLargeError
from collectors.metric_kinds import MetricKinds
from collectors.store.intake.admission import Admission, Resolved
from collectors.store.series.hash_table import HashTable
from collectors.store.series.table import SeriesTable
from collectors.store.wire.label_words import LabelWords
from collectors.store.wire.remote_body import DecodedBody
from collectors.tag_rules import TagRules


class RemoteLabels:
    """Finds the series of a body. Not safe for many threads.

    Args:
        table: The known series.
        admission: Decides on new ones.
        rules: Which tags are legal.
        seed: For hashes, drawn when the process starts.
        kinds: What senders said of metrics.
        max_labels: Most labels of unknown series in one body.
    """

    def __init__(
        self,
        table: SeriesTable,
        admission: Admission,
        rules: TagRules,
        seed: int,
        kinds: MetricKinds,
        max_labels: int,
    ) -> None:
        self.seed = seed
        self._max_labels = max_labels
        self._admission = admission
        self._kinds = kinds
        self._ids = HashTable(table.incarnation)
        self._words = LabelWords(table.words, rules, seed, kinds)

    def resolve(self, body: DecodedBody) -> Resolved:
        """Return the ids of a body's series; nothing is registered or learned yet.

        A series without samples is none of the store's: its id stays -1 when it is not known.

        Raises:
            TooLargeError: Too many labels would have to be looked at.
        """
        columns = body.columns
        ids, missing = self._ids.find(columns.hash)
        if not missing:
            return Resolved(ids)
        unknown = np.flatnonzero(ids < 0)
        unknown = unknown[columns.samples[unknown] > 0]
        if not len(unknown):
            return Resolved(ids)
        labels = body.labels(unknown)
        if len(labels.parts.places) > self._max_labels:
            raise TooLargeError(
                f"the body has {len(labels.parts.places)} labels of series that are not known, at "
                f"most {self._max_labels} are looked at; send less at once"
            )
        rows = self._words.rows(labels.parts, labels.types, room=self._admission.room())
        resolved = self._admission.resolve_labels(rows)
        ids[labels.rows] = resolved.ids
        refused = {int(labels.rows[at]): refusal for at, refusal in resolved.refused.items()}
        known = labels.rows[resolved.ids >= 0]
        learned = columns.hash[known], ids[known]
        return Resolved(ids, new=resolved.new, refused=labels.refused | refused, learned=learned)

    def learn(self, resolved: Resolved) -> None:
        """Remember which ids labels stand for, once these are registered."""
        if resolved.learned is not None:
            self._ids.insert(*resolved.learned)

    def learn_types(self, body: DecodedBody) -> dict[str, str]:
        """Remember the types of metrics that a body tells; return the kinds that changed."""
        changed = self._kinds.learn(body.metadata())
        if changed:  # labels that stood for a series of one kind may stand for another's
            self._words.kinds_changed(changed)
            self._ids.clear()
        return changed

    def forget_words(self) -> None:
        """Forget the numbers of words; call when some were shed."""
        self._words.forget()
