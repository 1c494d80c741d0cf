"""Datasets, as far as the vendor's client needs them to prune: their sources, and which comments were annotated in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.comments import write_instant
from simulators.reinfer.contracts import NEW_DATASET
from simulators.reinfer.store import Dataset, SourceExists
from simulators.reinfer.tokens import ADMIN, READ
from simulators.reinfer.visit import Handler, Visit, check_names, page


def list_datasets(visit: Visit) -> Response:
    found = [dataset for key, dataset in sorted(visit.store.datasets.items()) if visit.token.may(READ, key[0])]
    return ok(datasets=[_as_answer(dataset) for dataset in found])


def get_dataset(visit: Visit) -> Response:
    return ok(dataset=_as_answer(_dataset(visit)))


def get_dataset_by_id(visit: Visit) -> Response:
    return ok(dataset=_as_answer(visit.dataset_by_id(*visit.parts)))


def create_dataset(visit: Visit) -> Response:
    project, name = visit.parts
    check_names(project, name)
    visit.require(ADMIN, visit.project(project))
    body = visit.json(NEW_DATASET)["dataset"]
    for source_id in body["source_ids"]:
        visit.source_by_id(READ, source_id)
    settings = {key: value for key, value in body.items() if key != "source_ids"}
    try:
        return ok(dataset=_as_answer(visit.store.create_dataset(project, name, body["source_ids"], settings)))
    except SourceExists as error:
        raise Refused(409, f"Dataset {project}/{name} exists already") from error


def list_labellings(visit: Visit) -> Response:
    """The comments of one of its sources that somebody annotated, without what was annotated.

    An empty page is the last: the vendor's client stops with a panic at a page of comments without a continuation.
    """
    dataset, source_id = _dataset(visit), visit.single("source_id") or ""
    source = visit.source_by_id(READ, source_id)
    if source_id not in dataset.source_ids:
        raise Refused(400, "the source is not one of this dataset")
    visit.flag("return_predictions")
    annotated = [comment for comment in visit.store.in_time(source) if comment.has_annotations]
    comments, more = page(annotated, visit.single("after"), visit.limit(), ends_empty=True)
    results = [{"comment": comment.as_answer(include_markup=True), "labelling": []} for comment in comments]
    return ok(results=results, after=more)


def _dataset(visit: Visit) -> Dataset:
    project, name = visit.parts
    check_names(project, name)
    visit.require(READ, project)
    dataset = visit.store.datasets.get((project, name))
    if dataset is None:
        raise Refused(404, f"Dataset {project}/{name} not found")
    return dataset


def _as_answer(dataset: Dataset) -> dict[str, Any]:
    created = write_instant(dataset.created_at)
    return {
        "id": dataset.id,
        "owner": dataset.project,
        "name": dataset.name,
        "title": dataset.name,
        "description": "",
        **dataset.settings,
        "created": created,
        "last_modified": created,
        "model_family": "english",
        "source_ids": list(dataset.source_ids),
        "has_sentiment": False,
        "entity_defs": [],
        "general_fields": [],
        "label_defs": [],
        "label_groups": [],
        "_dataset_flags": [],
    }


HANDLERS: Mapping[str, Handler] = {
    "list-datasets": list_datasets,
    "get-dataset": get_dataset,
    "get-dataset-by-id": get_dataset_by_id,
    "create-dataset": create_dataset,
    "list-labellings": list_labellings,
}
