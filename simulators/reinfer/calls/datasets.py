"""Handlers of datasets.

The vendor's client reads the sources and the annotated comments of datasets, before it deletes comments without annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, check_names, page
from simulators.reinfer.comments import write_instant
from simulators.reinfer.contracts import NEW_DATASET
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.store import Dataset, SourceExists
from simulators.reinfer.tokens import ADMIN, READ


def list_datasets(api_call: ApiCall) -> Response:
    found = [dataset for key, dataset in sorted(api_call.store.datasets.items()) if api_call.token.may(READ, key[0])]
    return ok(datasets=[_as_answer(dataset) for dataset in found])


def get_dataset(api_call: ApiCall) -> Response:
    return ok(dataset=_as_answer(_dataset(api_call)))


def get_dataset_by_id(api_call: ApiCall) -> Response:
    return ok(dataset=_as_answer(api_call.dataset_by_id(*api_call.parts)))


def create_dataset(api_call: ApiCall) -> Response:
    project, name = api_call.parts
    check_names(project, name)
    api_call.require(ADMIN, api_call.project(project))
    body = api_call.json(NEW_DATASET)["dataset"]
    for source_id in body["source_ids"]:
        api_call.source_by_id(READ, source_id)
    settings = {key: value for key, value in body.items() if key != "source_ids"}
    try:
        return ok(dataset=_as_answer(api_call.store.create_dataset(project, name, body["source_ids"], settings)))
    except SourceExists as error:
        raise Refused(409, f"Dataset {project}/{name} exists already") from error


def list_labellings(api_call: ApiCall) -> Response:
    """The annotated comments of one source of the dataset, without the annotations.

    The last page is empty: the vendor's client panics at a page with comments and without a continuation.
    """
    dataset, source_id = _dataset(api_call), api_call.single("source_id") or ""
    source = api_call.source_by_id(READ, source_id)
    if source_id not in dataset.source_ids:
        raise Refused(400, "the dataset does not contain this source")
    api_call.flag("return_predictions")
    annotated = [comment for comment in api_call.store.in_time(source) if comment.has_annotations]
    comments, more = page(annotated, api_call.single("after"), api_call.limit(), ends_empty=True)
    results = [{"comment": comment.as_answer(include_markup=True), "labelling": []} for comment in comments]
    return ok(results=results, after=more)


def _dataset(api_call: ApiCall) -> Dataset:
    project, name = api_call.parts
    check_names(project, name)
    api_call.require(READ, project)
    dataset = api_call.store.datasets.get((project, name))
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
