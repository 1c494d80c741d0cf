"""Views of destinations and their buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER, OPERATE, VIEW
from api import examples
from api.filters import number, words
from api.problems import Conflict
from api.serializers.destinations import AvailableBuckets, BucketChange, BucketSerializer, DestinationSerializer
from api.serializers.responses import ActionAnswerSerializer, Checked
from api.views.base import ApiView, Listed, action_response, answers, finding_data, one
from integrations.models import Destination
from mailboxes.models import Bucket
from operations import bucket_actions, connection_tests, destination_actions, dry_runs, mailbox_actions
from operations.actor import Actor


class Destinations(Listed):
    """Re:infer tenants: API endpoint and token."""

    needs: ClassVar = {"GET": VIEW, "POST": ADMINISTER}
    queryset = Destination.objects.all()
    serializer_class = DestinationSerializer
    filters: ClassVar = {"name": ("name", words)}
    orderings: ClassVar = {"name": "name", "updated_at": "updated_at"}

    @answers(body=DestinationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the destinations."""
        return self.get_paginated_response(DestinationSerializer(self.page(), many=True).data)

    @answers(
        409, 422, given=DestinationSerializer, body=DestinationSerializer, code=201, examples=examples.DESTINATIONS
    )
    def post(self, request: Request) -> Response:
        """Add a destination."""
        serializer = DestinationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = destination_actions.add_by_values(Actor.of_request(request), serializer.validated_data)
        return Response(DestinationSerializer(row).data, 201)


class OneDestination(ApiView):
    """A destination."""

    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = DestinationSerializer

    @answers(body=DestinationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the destination."""
        return Response(DestinationSerializer(one(Destination.objects.all(), pk)).data)

    @answers(
        409, 422, given=DestinationSerializer(partial=True), body=DestinationSerializer, examples=examples.DESTINATIONS
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the destination. A request that changes the `endpoint` must also contain the `token`."""

        def read() -> tuple[Destination, Mapping[str, Any]]:
            row = one(Destination.objects.select_for_update(), pk)
            serializer = DestinationSerializer(row, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            return row, serializer.validated_data

        row = destination_actions.change_by_values(Actor.of_request(request), read)
        return Response(DestinationSerializer(row).data)

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the destination and its buckets. The response is 409 if mailboxes use the destination."""
        row = one(Destination.objects.all(), pk)
        if not destination_actions.delete(Actor.of_request(request), row):
            raise Conflict(f"Mailboxes still use {row}.")
        return Response(status=204)


class CheckDestination(ApiView):
    """Connection test of a destination."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Test the connection to Re:infer with the token of this destination, and open its first bucket. Takes up to 20 s."""
        row = one(Destination.objects.all(), pk)
        return Response(finding_data(connection_tests.test_destination(Actor.of_request(request), row)))


class StartStoppedOfDestination(ApiView):
    """Start of those mailboxes of a destination that an error or the quota of Re:infer stopped."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start those mailboxes of this destination that an error or the quota of Re:infer stopped."""
        row = one(Destination.objects.all(), pk)
        return action_response(mailbox_actions.start_stopped(Actor.of_request(request), row))


class TryDestination(ApiView):
    """Connection test of a destination that is not stored."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(409, 422, given=DestinationSerializer, body=Checked, examples=examples.DESTINATIONS)
    def post(self, request: Request) -> Response:
        """Test the connection to Re:infer with this URL and token, without storing them. Takes up to 20 s."""
        serializer = DestinationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = Destination(**serializer.validated_data)
        return Response(finding_data(connection_tests.test_destination(Actor.of_request(request), row)))


class BucketsAvailable(ApiView):
    """The buckets that exist at Re:infer."""

    needs: ClassVar = {"GET": ADMINISTER}

    @answers(body=AvailableBuckets)
    def get(self, request: Request, pk: int) -> Response:
        """List the buckets that the token of this destination can access at Re:infer. Takes up to 20 s."""
        choice = dry_runs.buckets_at(one(Destination.objects.all(), pk))
        buckets = [{"project_name": project, "name": name} for project, name in choice.buckets]
        return Response({"ok": not choice.problem, "detail": choice.problem, "buckets": buckets})


class BucketsView(Listed):
    """Buckets. A bucket receives comments; it is identified by destination, project name and name."""

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
        """List the buckets."""
        return self.get_paginated_response(BucketSerializer(self.page(), many=True).data)

    @answers(409, 422, given=BucketSerializer, body=BucketSerializer, code=201, examples=examples.BUCKETS)
    def post(self, request: Request) -> Response:
        """Add a bucket."""
        serializer = BucketSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = bucket_actions.add(Actor.of_request(request), serializer.validated_data)
        return Response(BucketSerializer(row).data, 201)


class BucketView(ApiView):
    """A bucket."""

    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = BucketSerializer

    @answers(body=BucketSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the bucket."""
        return Response(BucketSerializer(one(self._rows(), pk)).data)

    @answers(given=BucketChange, body=BucketSerializer, examples=examples.LIMITS)
    def patch(self, request: Request, pk: int) -> Response:
        """Change the monthly limit. The other values of a bucket cannot be changed."""
        row = one(self._rows(), pk)
        serializer = BucketChange(data=request.data)
        serializer.is_valid(raise_exception=True)
        bucket_actions.set_limit(
            Actor.of_request(request), row, row.monthly_limit, serializer.validated_data["monthly_limit"]
        )
        return Response(BucketSerializer(row).data)

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the bucket and its ledger. Its comments remain in Re:infer.

        The response is 409 if mailboxes use the bucket.
        """
        row = one(self._rows(), pk)
        if not bucket_actions.delete(Actor.of_request(request), row):
            raise Conflict(f"Mailboxes still use {row}.")
        return Response(status=204)

    def _rows(self) -> QuerySet[Bucket]:
        return Bucket.objects.select_related("destination")


class CheckBucket(ApiView):
    """Connection test of a bucket."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Test whether the bucket can be read at Re:infer. Takes up to 20 s."""
        row = one(Bucket.objects.select_related("destination"), pk)
        return Response(finding_data(connection_tests.test_bucket(Actor.of_request(request), row)))


class AcceptComments(ApiView):
    """Acceptance of comments in a bucket that this product did not push."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Accept that the bucket contains comments that this product did not push.

        The overview then no longer shows an alert about these comments. If there are none, the response is 422.
        """
        bucket = one(Bucket.objects.select_related("destination"), pk)
        return action_response(bucket_actions.accept_comments(Actor.of_request(request), bucket))


class ResumeBucket(ApiView):
    """Resumption of a bucket whose circuit breaker is open."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Close the circuit breaker of a bucket.

        Use this action after too many emails were refused or could not be converted. For 24 hours, such emails become failed
        emails and do not pause the bucket.
        """
        row = one(Bucket.objects.select_related("destination"), pk)
        return action_response(bucket_actions.resume(Actor.of_request(request), row))


class StartStoppedOfBucket(ApiView):
    """Start of those mailboxes of a bucket that an error or the quota of Re:infer stopped."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start those mailboxes of this bucket that an error or the quota of Re:infer stopped."""
        row = one(Bucket.objects.select_related("destination"), pk)
        return action_response(mailbox_actions.start_stopped(Actor.of_request(request), row))


class CreateBucket(ApiView):
    """Creation of a bucket at Re:infer."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Create the bucket at Re:infer, unless it exists. Takes up to 20 s."""
        row = one(Bucket.objects.select_related("destination"), pk)
        return Response(finding_data(bucket_actions.create_at_reinfer(Actor.of_request(request), row)))
