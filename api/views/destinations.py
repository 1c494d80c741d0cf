"""Destinations and their buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER, OPERATE, VIEW
from api import examples
from api.filters import number, words
from api.problems import Conflict
from api.serializers.answers import ActionAnswerSerializer, Checked
from api.serializers.destinations import AvailableBuckets, BucketChange, BucketSerializer, DestinationSerializer
from api.views.base import ApiView, Listed, answers, found, one, said
from integrations import wording
from integrations.bound import label_of
from integrations.models import Destination, Integration
from mailboxes.models import Bucket
from operations import actions, dry_runs


class Destinations(Listed):
    """Re:infer tenants: API endpoint and token."""

    needs: ClassVar = {"GET": VIEW, "POST": ADMINISTER}
    queryset = Destination.objects.all()
    serializer_class = DestinationSerializer
    filters: ClassVar = {"name": ("name", words)}
    orderings: ClassVar = {"name": "name", "updated_at": "updated_at"}

    @answers(body=DestinationSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(DestinationSerializer(self.page(), many=True).data)

    @answers(
        409, 422, given=DestinationSerializer, body=DestinationSerializer, code=201, examples=examples.DESTINATIONS
    )
    def post(self, request: Request) -> Response:
        shape = DestinationSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        row = Destination.objects.create(**shape.validated_data)
        history.record(request, f"{row} was added.", about=row)
        return Response(DestinationSerializer(row).data, 201)


class OneDestination(ApiView):
    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = DestinationSerializer

    @answers(body=DestinationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(DestinationSerializer(one(Destination.objects.all(), pk)).data)

    @answers(
        409, 422, given=DestinationSerializer(partial=True), body=DestinationSerializer, examples=examples.DESTINATIONS
    )
    def patch(self, request: Request, pk: int) -> Response:
        """With another `endpoint` the `token` is needed again."""
        with transaction.atomic():
            row = one(Destination.objects.select_for_update(), pk)
            shape = DestinationSerializer(row, data=request.data, partial=True)
            shape.is_valid(raise_exception=True)
            given = shape.validated_data
            if not given:
                return Response(DestinationSerializer(row).data)
            changes = _changes(row, given)
            for name, value in given.items():
                setattr(row, name, value)
            row.save(update_fields=[*given, "updated_at"])
            history.record(request, f"{row} was changed.", about=row, changes=changes)
        for integration in Integration.objects.filter(mailboxes__bucket__destination=pk).distinct():
            actions.settings_changed(integration)
        return Response(DestinationSerializer(row).data)

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        row = one(Destination.objects.all(), pk)
        if row.buckets.filter(mailboxes__isnull=False).exists():
            raise Conflict(f"Mailboxes still send to {row}.")
        row.buckets.all().delete()
        row.delete()
        history.record(request, f"{row} was deleted.")
        return Response(status=204)


class CheckDestination(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Reach Re:infer with this token. Takes up to 20 s."""
        return Response(found(actions.test_destination(one(Destination.objects.all(), pk), by=history.who(request))))


class StartStoppedOfDestination(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start its mailboxes that an error or the quota of Re:infer stopped."""
        return said(request, actions.start_stopped(one(Destination.objects.all(), pk)))


class TryDestination(ApiView):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(409, 422, given=DestinationSerializer, body=Checked, examples=examples.DESTINATIONS)
    def post(self, request: Request) -> Response:
        """Reach Re:infer with this address and token, and keep neither. Takes up to 20 s."""
        shape = DestinationSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        row = Destination(**shape.validated_data)
        return Response(found(actions.test_destination(row, by=history.who(request))))


class BucketsAvailable(ApiView):
    needs: ClassVar = {"GET": ADMINISTER}

    @answers(body=AvailableBuckets)
    def get(self, request: Request, pk: int) -> Response:
        """Which buckets Re:infer shows to our token. Takes up to 20 s."""
        choice = dry_runs.buckets_at(one(Destination.objects.all(), pk))
        buckets = [{"project_name": project, "name": name} for project, name in choice.buckets]
        return Response({"ok": not choice.problem, "detail": choice.problem, "buckets": buckets})


class BucketsView(Listed):
    """Where comments go: `project_name/name` at a destination."""

    needs: ClassVar = {"GET": VIEW, "POST": ADMINISTER}
    queryset = Bucket.objects.all()
    serializer_class = BucketSerializer
    filters: ClassVar = {
        "destination": ("destination", number),
        "project_name": ("project", words),
        "name": ("name", words),
    }
    orderings: ClassVar = {"project_name": "project", "name": "name"}

    @answers(body=BucketSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(BucketSerializer(self.page(), many=True).data)

    @answers(409, 422, given=BucketSerializer, body=BucketSerializer, code=201, examples=examples.BUCKETS)
    def post(self, request: Request) -> Response:
        shape = BucketSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        row = Bucket.objects.create(**shape.validated_data)
        history.record(request, f"{row} was added.", about=row)
        return Response(BucketSerializer(row).data, 201)


class BucketView(ApiView):
    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = BucketSerializer

    @answers(body=BucketSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(BucketSerializer(one(self._rows(), pk)).data)

    @answers(given=BucketChange, body=BucketSerializer, examples=examples.LIMITS)
    def patch(self, request: Request, pk: int) -> Response:
        """Only its limit can be changed: what was sent there stays there."""
        row = one(self._rows(), pk)
        shape = BucketChange(data=request.data)
        shape.is_valid(raise_exception=True)
        before, row.monthly_limit = row.monthly_limit, shape.validated_data["monthly_limit"]
        row.save(update_fields=["monthly_limit"])
        changes = [("AI units a month", wording.in_words(before), wording.in_words(row.monthly_limit))]
        history.record(request, f"The limit of {row} was changed.", changes=changes, about=row)
        return Response(BucketSerializer(row).data)

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """With what we know of its comments; they stay in Re:infer."""
        row = one(self._rows(), pk)
        try:
            row.delete()
        except ProtectedError:
            raise Conflict(f"Mailboxes still send to {row}.") from None
        history.record(request, f"{row} was deleted.")
        return Response(status=204)

    def _rows(self) -> QuerySet[Bucket]:
        return Bucket.objects.select_related("destination")


class CheckBucket(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Reach the bucket at Re:infer. Takes up to 20 s."""
        row = one(Bucket.objects.select_related("destination"), pk)
        return Response(found(actions.test_bucket(row, by=history.who(request))))


class AcceptComments(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Accept that the bucket holds comments that this product did not send. The overview does not list them any more."""
        bucket = one(Bucket.objects.select_related("destination"), pk)
        return said(request, actions.accept_comments(bucket))


class ResumeBucket(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Go on after too many emails were refused: for a day, such emails are set aside."""
        return said(request, actions.resume_bucket(one(Bucket.objects.select_related("destination"), pk)))


class StartStoppedOfBucket(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start its mailboxes that an error or the quota of Re:infer stopped."""
        return said(request, actions.start_stopped(one(Bucket.objects.select_related("destination"), pk)))


class CreateBucket(ApiView):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Create it at Re:infer, unless it is there. Takes up to 20 s."""
        row = one(Bucket.objects.select_related("destination"), pk)
        finding = actions.create_bucket(row)
        if finding.ok:
            history.record(request, finding.text, about=row)
        return Response(found(finding))


def _changes(row: Destination, given: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """For the history: field, before and after. Of the token only that it is another."""
    found = []
    for name, value in given.items():
        label = label_of(Destination, name)
        if name == "token":
            found.append((label, "a secret", "another secret"))
        elif getattr(row, name) != value:
            found.append((label, wording.in_words(getattr(row, name)), wording.in_words(value)))
    return found
